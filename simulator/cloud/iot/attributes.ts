import { invalid } from "./operation.ts";

export type Attributes = Readonly<Record<string, string>>;

/** @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html#thing-limits */
export const ATTRIBUTES_MAX = 50;

export function checkAttributes(attributes: Attributes, max: number): void {
  const names = Object.keys(attributes);
  if (names.length > max)
    throw invalid(`${names.length} attributes are too many, at most ${max} are allowed here.`);
  for (const [name, value] of Object.entries(attributes)) {
    if (!/^[a-zA-Z0-9_.,@/:#-]{1,128}$/.test(name))
      throw invalid(`The attribute name "${name}" is not allowed.`);
    if (!/^[a-zA-Z0-9_.,@/:#=[\]-]{0,800}$/.test(value))
      throw invalid(`The value of attribute ${name} holds characters that AWS IoT does not allow.`);
  }
}

export function isAlike(one: Attributes, other: Attributes): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
