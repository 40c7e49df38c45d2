import { isObject } from "../json-shape.ts";
import type { ServiceTable, ShapeRow } from "./table.ts";

/** AWS's list of violations ends somewhere too. */
const VIOLATIONS_MAX = 20;
const SHOWN_CHARACTERS_MAX = 256;

export interface Violation {
  readonly path: string;
  /** The sentence that AWS says of it. */
  readonly message: string;
}

/** What of an operation's input breaks the model's constraints. */
export function violationsOf(table: ServiceTable, operation: string, input: unknown): readonly Violation[] {
  const shape = table.operations[operation]?.input;
  const found: Violation[] = [];
  if (shape !== undefined) look(table, shape, input, "", found);
  return found;
}

/** As AWS puts them into one message. */
export function violationsTold(violations: readonly Violation[]): string {
  const count = violations.length === 1 ? "1 validation error" : `${violations.length} validation errors`;
  return `${count} detected: ${violations.map(({ message }) => message).join("; ")}`;
}

function look(table: ServiceTable, shape: string, value: unknown, path: string, found: Violation[]): void {
  const row = table.shapes[shape];
  if (row === undefined || value === undefined || value === null || found.length >= VIOLATIONS_MAX) return;
  for (const demand of broken(row, value))
    found.push({
      path,
      message: `Value ${shown(value)} at '${path}' failed to satisfy constraint: Member must ${demand}`,
    });
  if (Array.isArray(value)) {
    const { item } = row;
    if (item !== undefined)
      for (const [index, one] of value.entries())
        look(table, item, one, `${path}.${index + 1}.member`, found);
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(row.members ?? {}))
      if (Object.hasOwn(value, name))
        look(table, member, value[name], path === "" ? name : `${path}.${name}`, found);
    const keys = row.key === undefined ? undefined : table.shapes[row.key];
    for (const [key, one] of row.item === undefined && keys === undefined ? [] : Object.entries(value)) {
      const demands = keys === undefined ? [] : broken(keys, key);
      if (demands.length > 0)
        found.push({
          path,
          message: `Value ${shown(value)} at '${path}' failed to satisfy constraint: Map keys must satisfy constraint: [${demands.map((demand) => `Member must ${demand}`).join(", ")}]`,
        });
      if (row.item !== undefined) look(table, row.item, one, `${path}.${key}.member`, found);
    }
  }
}

/** The constraints of its own that the value breaks, in AWS's words after "Member must". */
function broken({ min, max, pattern, values }: ShapeRow, value: unknown): readonly string[] {
  const demands: string[] = [];
  const size = sizeOf(value);
  const what = typeof value === "number" ? "value" : "length";
  if (size !== undefined && min !== undefined && size < min)
    demands.push(`have ${what} greater than or equal to ${min}`);
  if (size !== undefined && max !== undefined && size > max)
    demands.push(`have ${what} less than or equal to ${max}`);
  if (typeof value !== "string") return demands;
  // A text that is too long is not given to a pattern.
  if (demands.length === 0 && pattern !== undefined && !expression(pattern).test(value))
    demands.push(`satisfy regular expression pattern: ${pattern}`);
  if (values !== undefined && !values.includes(value))
    demands.push(`satisfy enum value set: [${values.join(", ")}]`);
  return demands;
}

function sizeOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "string") return value.length;
  if (Array.isArray(value)) return value.length;
  if (value instanceof Uint8Array) return value.byteLength;
  return isObject(value) ? Object.keys(value).length : undefined;
}

const expressions = new Map<string, RegExp>();

/** The services match the whole text, whether or not the pattern says so. */
function expression(pattern: string): RegExp {
  const known = expressions.get(pattern) ?? new RegExp(`^(?:${pattern})$`, "u");
  expressions.set(pattern, known);
  return known;
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) return "java.nio.HeapByteBuffer";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return `'${text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text}'`;
}
