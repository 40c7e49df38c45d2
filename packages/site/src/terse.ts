/** `nmcli --terse`: how it writes what tables and properties hold. @see nmcli(1), --terse and --escape */

/** A line of a table: fields stand between colons; a colon or backslash within one has a backslash before it. */
export function terseFields(line: string): string[] {
  const fields: string[] = [];
  let field = "";
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === "\\" && at + 1 < line.length) field += line.charAt(++at);
    else if (character === ":") {
      fields.push(field);
      field = "";
    } else field += character;
  }
  return [...fields, field];
}

/** Every row of a table; each has as many fields as were asked for. */
export function terseRows(text: string): string[][] {
  return lines(text).map(terseFields);
}

/** `NAME:value` a line, not escaped; names of what is there several times end with `[1]`, `[2]`. */
export function terseProperties(text: string): ReadonlyMap<string, readonly string[]> {
  const properties = new Map<string, string[]>();
  for (const line of lines(text)) {
    const colon = line.indexOf(":");
    if (colon === -1) continue;
    const name = line.slice(0, colon).replace(/\[\d+\]$/, "");
    const value = line.slice(colon + 1);
    if (value !== "") properties.set(name, [...(properties.get(name) ?? []), value]);
  }
  return properties;
}

/**
 * A line of a `passwd-file`. Backslashes begin an escape there and spaces at the ends are dropped, so that all but letters
 * and digits go as octal bytes.
 */
export function passwordLine(property: string, value: string): string {
  const escaped = [...new TextEncoder().encode(value)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9]/.test(character) ? character : `\\${byte.toString(8).padStart(3, "0")}`;
  });
  return `${property}:${escaped.join("")}\n`;
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
