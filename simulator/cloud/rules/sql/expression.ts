import type { MessageContext } from "./functions.ts";
import {
  areEqual,
  boundedText,
  isSqlObject,
  ownMember,
  toBoolean,
  toNumber,
  toText,
  type SqlObject,
  type SqlValue,
} from "./value.ts";

/** What a part of a statement makes of a message. It throws nothing. */
export type Evaluate = (payload: SqlValue, context: MessageContext) => SqlValue;

export type BinaryOperator =
  | "AND"
  | "OR"
  | "="
  | "<>"
  | "<"
  | "<="
  | ">"
  | ">="
  | "+"
  | "-"
  | "*"
  | "/"
  | "%";

export const wholePayload: Evaluate = (payload) => payload;

export function memberOf(of: Evaluate, name: string): Evaluate {
  return (payload, context) => {
    const object = of(payload, context);
    return isSqlObject(object) ? ownMember(object, name) : undefined;
  };
}

export function not(of: Evaluate): Evaluate {
  return (payload, context) => {
    const value = toBoolean(of(payload, context));
    return value === undefined ? undefined : !value;
  };
}

export function minus(of: Evaluate): Evaluate {
  return (payload, context) => {
    const value = toNumber(of(payload, context));
    return value === undefined ? undefined : -value;
  };
}

export function binary(operator: BinaryOperator, left: Evaluate, right: Evaluate): Evaluate {
  const apply = operators[operator];
  return (payload, context) => apply(left(payload, context), right(payload, context));
}

export function caseOf(
  subject: Evaluate,
  branches: readonly { readonly when: Evaluate; readonly value: Evaluate }[],
  otherwise: Evaluate,
): Evaluate {
  return (payload, context) => {
    const wanted = subject(payload, context);
    const branch =
      wanted === undefined
        ? undefined
        : branches.find(({ when }) => areEqual(when(payload, context), wanted));
    return (branch?.value ?? otherwise)(payload, context);
  };
}

export function arrayOf(items: readonly Evaluate[]): Evaluate {
  return (payload, context) =>
    items.map((item) => item(payload, context)).filter((item) => item !== undefined);
}

/** Undefined leaves no key, as in JSON. A path of several names makes objects in objects. */
export function objectOf(
  members: readonly (readonly [path: readonly string[], value: Evaluate])[],
): Evaluate {
  return (payload, context) => {
    let object: SqlObject = {};
    for (const [path, value] of members) object = withMember(object, path, value(payload, context));
    return object;
  };
}

export function withMember(
  object: SqlObject,
  [name = "", ...rest]: readonly string[],
  value: SqlValue,
): SqlObject {
  if (value === undefined) return object;
  if (rest.length === 0) return { ...object, [name]: value };
  const inner = ownMember(object, name);
  return { ...object, [name]: withMember(isSqlObject(inner) ? inner : {}, rest, value) };
}

/** @see https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-operators.html */
const operators: Readonly<Record<BinaryOperator, (left: SqlValue, right: SqlValue) => SqlValue>> = {
  AND: logical((a, b) => a && b),
  OR: logical((a, b) => a || b),
  "=": (left, right) => (left === undefined || right === undefined ? undefined : areEqual(left, right)),
  "<>": (left, right) => (left === undefined || right === undefined ? undefined : !areEqual(left, right)),
  "<": numeric((a, b) => a < b),
  "<=": numeric((a, b) => a <= b),
  ">": numeric((a, b) => a > b),
  ">=": numeric((a, b) => a >= b),
  "+": (left, right) => {
    if (left === undefined || right === undefined) return undefined;
    if (typeof left === "string" || typeof right === "string")
      return boundedText(toText(left) + toText(right));
    return sum(left, right);
  },
  "-": numeric((a, b) => a - b),
  "*": numeric((a, b) => a * b),
  "/": (left, right) =>
    (Number.isInteger(left) && Number.isInteger(right) ? ratioOfInts : ratio)(left, right),
  "%": numeric((a, b) => a % b),
};
const sum = numeric((a, b) => a + b);
const ratio = numeric((a, b) => a / b);
/** An Int by an Int is an Int. */
const ratioOfInts = numeric((a, b) => Math.trunc(a / b));

function logical(apply: (a: boolean, b: boolean) => boolean): (left: SqlValue, right: SqlValue) => SqlValue {
  return (left, right) => {
    const [a, b] = [toBoolean(left), toBoolean(right)];
    return a === undefined || b === undefined ? undefined : apply(a, b);
  };
}

/** Texts that are numbers count as such; what is not finite is Undefined. */
function numeric(
  apply: (a: number, b: number) => number | boolean,
): (left: SqlValue, right: SqlValue) => SqlValue {
  return (left, right) => {
    const [a, b] = [toNumber(left), toNumber(right)];
    if (a === undefined || b === undefined) return undefined;
    const result = apply(a, b);
    return typeof result === "boolean" || Number.isFinite(result) ? result : undefined;
  };
}

const toDecimal = (value: SqlValue): number | undefined =>
  typeof value === "boolean" ? Number(value) : toNumber(value);
const toInt = (value: SqlValue): SqlValue => {
  const number = toDecimal(value);
  return number === undefined ? undefined : Math.trunc(number);
};
const toBool = (value: SqlValue): SqlValue => {
  const number = toNumber(value);
  return toBoolean(value) ?? (number === undefined ? undefined : number !== 0);
};
const toString = (value: SqlValue): SqlValue =>
  value === undefined || value === null ? undefined : toText(value);

/** What `cast` makes, by the names of the types in lower case. */
export const casts: ReadonlyMap<string, (value: SqlValue) => SqlValue> = new Map([
  ["string", toString],
  ["nvarchar", toString],
  ["int", toInt],
  ["integer", toInt],
  ["decimal", toDecimal],
  ["boolean", toBool],
  ["bool", toBool],
]);
