/** An instant to the minute, in UTC, as every language here reads it. */
export function minuteOf(instantMs: number): string {
  return new Date(instantMs).toISOString().slice(0, 16).replace("T", " ");
}
