/** A share as people read it. */
export function share(value: number, language: string): string {
  return value.toLocaleString(language, { style: "percent", maximumFractionDigits: 2 });
}
