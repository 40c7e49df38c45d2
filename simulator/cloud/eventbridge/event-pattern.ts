import * as z from "zod";

/** Whether an event, or the attributes of a message, fits a pattern. */
export type Pattern = (event: unknown) => boolean;
type Test = (value: unknown) => boolean;

const PATTERN_DEPTH_MAX = 32;

/** Why a text is no pattern. */
export class PatternFault extends Error {}

/**
 * Reads a pattern's JSON: exact values, prefix, suffix, anything-but, numeric, exists, equals-ignore-case, wildcard and
 * `$or`. @throws PatternFault for what is no pattern, or not simulated.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export function eventPattern(source: string): Pattern {
  let json: unknown;
  try {
    json = JSON.parse(source);
  } catch {
    throw new PatternFault("Event pattern is not valid. Reason: it is not JSON.");
  }
  return objectPattern(json, "", 0);
}

const Members = z.record(z.string(), z.unknown());

function objectPattern(json: unknown, path: string, depth: number): Pattern {
  const members = Members.safeParse(json).data;
  if (members === undefined || Object.keys(members).length === 0 || depth > PATTERN_DEPTH_MAX)
    throw fault(path, "it must be an object that is not empty, nor too deep");
  const patterns = Object.entries(members).map(([key, given]): Pattern => {
    const here = path === "" ? key : `${path}.${key}`;
    if (key === "$or") return anyOf(given, path, depth);
    const member = Array.isArray(given) ? leaf(given, here) : objectPattern(given, here, depth + 1);
    return (event) => member(memberOf(event, key));
  });
  return (event) => patterns.every((fits) => fits(event));
}

function anyOf(given: unknown, path: string, depth: number): Pattern {
  if (!Array.isArray(given) || given.length < 2) throw fault(`${path}.$or`, "it must be a list of patterns");
  const branches = given.map((one) => objectPattern(one, path, depth + 1));
  return (event) => branches.some((fits) => fits(event));
}

function memberOf(event: unknown, key: string): unknown {
  return isObject(event) && Object.hasOwn(event, key) ? event[key] : undefined;
}

/** A list of tests of which one must hold; where the event has a list, for one of its values. */
function leaf(given: readonly unknown[], path: string): Test {
  if (given.length === 0) throw fault(path, "an empty list matches nothing");
  const tests = given.map((one) => testOf(one, path));
  const isAbsenceAsked = given.some((one) => isObject(one) && one["exists"] === false);
  return (value) => {
    if (value === undefined) return isAbsenceAsked;
    if (isObject(value)) return false;
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return tests.some((fits) => values.some(fits));
  };
}

function testOf(given: unknown, path: string): Test {
  if (!isObject(given)) {
    if (Array.isArray(given)) throw fault(path, "a list in a list");
    return (value) => value === given;
  }
  const [[operator, operand] = ["", undefined], ...more] = Object.entries(given);
  const make = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
  const test = more.length === 0 ? make?.(operand) : undefined;
  if (test === undefined)
    throw fault(path, `${JSON.stringify(given).slice(0, 100)} is no operator that is simulated`);
  return test;
}

const Text = z.string();
const Texts = z.union([Text.transform((one) => [one]), z.array(Text).min(1)]);
const IgnoreCase = z.strictObject({ "equals-ignore-case": Text });

function ofText(operand: unknown, make: (wanted: string) => (text: string) => boolean): Test | undefined {
  const plain = Text.safeParse(operand).data;
  const folded = IgnoreCase.safeParse(operand).data?.["equals-ignore-case"].toLowerCase();
  const wanted = plain ?? folded;
  if (wanted === undefined) return undefined;
  const fits = make(wanted);
  return (value) => typeof value === "string" && fits(folded === undefined ? value : value.toLowerCase());
}

/** Each gives undefined for an operand that it does not take. */
const operators: Readonly<Record<string, (operand: unknown) => Test | undefined>> = {
  prefix: (operand) => ofText(operand, (wanted) => (text) => text.startsWith(wanted)),
  suffix: (operand) => ofText(operand, (wanted) => (text) => text.endsWith(wanted)),
  "equals-ignore-case": (operand) => {
    const wanted = Text.safeParse(operand).data?.toLowerCase();
    return wanted === undefined
      ? undefined
      : (value) => typeof value === "string" && value.toLowerCase() === wanted;
  },
  wildcard: (operand) => ofText(operand, wildcard),
  exists: (operand) => (typeof operand === "boolean" ? () => operand : undefined),
  numeric: (operand) => numeric(operand),
  "anything-but": (operand) => {
    if (isObject(operand)) {
      const [[operator, inner] = ["", undefined]] = Object.entries(operand);
      const texts = Texts.safeParse(inner).data;
      const make = ["prefix", "suffix", "equals-ignore-case", "wildcard"].includes(operator)
        ? operators[operator]
        : undefined;
      const tests = texts?.map((text) => make?.(text)) ?? [undefined];
      return tests.includes(undefined) ? undefined : (value) => !tests.some((fits) => fits?.(value));
    }
    const unwanted: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
    return unwanted.length === 0 || unwanted.some((one) => typeof one === "object")
      ? undefined
      : (value) => !unwanted.includes(value);
  },
};

/** `*` stands for any text. Without a regular expression, which an event could make slow. */
function wildcard(pattern: string): (text: string) => boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  return (text) => {
    if (last === undefined) return text === first;
    if (!text.startsWith(first)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  };
}

const comparisons: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  "=": (value, bound) => value === bound,
  "<": (value, bound) => value < bound,
  "<=": (value, bound) => value <= bound,
  ">": (value, bound) => value > bound,
  ">=": (value, bound) => value >= bound,
};

function numeric(operand: unknown): Test | undefined {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length % 2 !== 0) return undefined;
  const given: readonly unknown[] = operand;
  const tests: ((value: number) => boolean)[] = [];
  for (let at = 0; at < given.length; at += 2) {
    const [operator, bound] = [given[at], given[at + 1]];
    const compare = typeof operator === "string" ? comparisons[operator] : undefined;
    if (compare === undefined || typeof bound !== "number") return undefined;
    tests.push((value) => compare(value, bound));
  }
  return (value) => typeof value === "number" && tests.every((fits) => fits(value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fault(path: string, reason: string): PatternFault {
  return new PatternFault(`Event pattern is not valid. Reason: at '${path}' ${reason}.`);
}
