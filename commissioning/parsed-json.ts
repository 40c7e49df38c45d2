/** What a text says as JSON, or undefined where it is none: a schema looks at it next. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
