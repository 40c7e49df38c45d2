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

/** A row of the table, ready to be held against values: its parts are found once. */
interface Rule {
  readonly row: ShapeRow;
  readonly pattern: RegExp | undefined;
  readonly sized: boolean;
  readonly members: readonly (readonly [name: string, rule: Rule])[];
  readonly item: Rule | undefined;
  readonly key: Rule | undefined;
}

/** The constraints of one service's model. */
export class Constraints {
  readonly #table: ServiceTable;
  readonly #rules = new Map<string, Rule>();

  constructor(table: ServiceTable) {
    this.#table = table;
  }

  /** What of an operation's input breaks them. */
  violationsOf(operation: string, input: unknown): readonly Violation[] {
    const rule = this.#rule(this.#table.operations[operation]?.input);
    const found: Violation[] = [];
    if (rule !== undefined) look(rule, input, "", found);
    return found;
  }

  #rule(shape: string | undefined): Rule | undefined {
    if (shape === undefined) return undefined;
    const known = this.#rules.get(shape);
    const row = this.#table.shapes[shape];
    if (known !== undefined || row === undefined) return known;
    const { min, max, pattern } = row;
    const members: [string, Rule][] = [];
    const rule = {
      row,
      // The services match the whole text, whether or not the pattern says so.
      pattern: pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`, "u"),
      sized: min !== undefined || max !== undefined,
      members,
      item: undefined,
      key: undefined,
    };
    // Known before its parts are: a shape may hold itself.
    this.#rules.set(shape, rule);
    for (const [name, member] of Object.entries(row.members ?? {})) {
      const its = this.#rule(member);
      if (its !== undefined) members.push([name, its]);
    }
    return Object.assign(rule, { item: this.#rule(row.item), key: this.#rule(row.key) });
  }
}

/** As AWS puts them into one message. */
export function violationsTold(violations: readonly Violation[]): string {
  const count = violations.length === 1 ? "1 validation error" : `${violations.length} validation errors`;
  return `${count} detected: ${violations.map(({ message }) => message).join("; ")}`;
}

function look(rule: Rule, value: unknown, path: string, found: Violation[]): void {
  if (value === undefined || value === null || found.length >= VIOLATIONS_MAX) return;
  for (const demand of broken(rule, value))
    found.push({
      path,
      message: `Value ${shown(value)} at '${path}' failed to satisfy constraint: Member must ${demand}`,
    });
  if (Array.isArray(value)) {
    const { item } = rule;
    if (item !== undefined)
      for (let index = 0; index < value.length; index++)
        look(item, value[index], `${path}.${index + 1}.member`, found);
  } else if (isObject(value)) {
    for (const [name, member] of rule.members)
      if (Object.hasOwn(value, name))
        look(member, value[name], path === "" ? name : `${path}.${name}`, found);
    if (rule.item !== undefined || rule.key !== undefined) lookAtEntries(rule, value, path, found);
  }
}

function lookAtEntries(
  { item, key: keys }: Rule,
  value: Readonly<Record<string, unknown>>,
  path: string,
  found: Violation[],
): void {
  for (const [key, one] of Object.entries(value)) {
    const demands = keys === undefined ? [] : broken(keys, key);
    if (demands.length > 0)
      found.push({
        path,
        message: `Value ${shown(value)} at '${path}' failed to satisfy constraint: Map keys must satisfy constraint: [${demands.map((demand) => `Member must ${demand}`).join(", ")}]`,
      });
    if (item !== undefined) look(item, one, `${path}.${key}.member`, found);
  }
}

/** The constraints of its own that the value breaks, in AWS's words after "Member must". */
function broken({ row, pattern, sized }: Rule, value: unknown): readonly string[] {
  const demands: string[] = [];
  if (sized) {
    const { min, max } = row;
    const size = sizeOf(value);
    const what = typeof value === "number" ? "value" : "length";
    if (size !== undefined && min !== undefined && size < min)
      demands.push(`have ${what} greater than or equal to ${min}`);
    if (size !== undefined && max !== undefined && size > max)
      demands.push(`have ${what} less than or equal to ${max}`);
  }
  if (typeof value !== "string") return demands;
  // A text that is too long is not given to a pattern.
  if (demands.length === 0 && pattern !== undefined && !pattern.test(value))
    demands.push(`satisfy regular expression pattern: ${row.pattern ?? ""}`);
  if (row.values !== undefined && !row.values.includes(value))
    demands.push(`satisfy enum value set: [${row.values.join(", ")}]`);
  return demands;
}

function sizeOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "string") return value.length;
  if (Array.isArray(value)) return value.length;
  if (value instanceof Uint8Array) return value.byteLength;
  return isObject(value) ? Object.keys(value).length : undefined;
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) return "java.nio.HeapByteBuffer";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return `'${text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text}'`;
}
