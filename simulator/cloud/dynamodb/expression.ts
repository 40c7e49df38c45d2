import { compareValues, equalValues, type AttributeValue, type Item } from "./attribute-value.ts";
import { invalid } from "./invalid.ts";

/** Names and values that an expression's placeholders stand for. */
export interface Placeholders {
  readonly names: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, AttributeValue>>;
}

type Operand =
  | { readonly kind: "path"; readonly path: readonly string[] }
  | { readonly kind: "value"; readonly value: AttributeValue }
  | { readonly kind: "size"; readonly path: readonly string[] };

export type Condition =
  | { readonly kind: "compare"; readonly operator: string; readonly left: Operand; readonly right: Operand }
  | { readonly kind: "between"; readonly operand: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly kind: "in"; readonly operand: Operand; readonly among: readonly Operand[] }
  | {
      readonly kind: "call";
      readonly name: string;
      readonly path: readonly string[];
      readonly argument: Operand | undefined;
    }
  | { readonly kind: "and" | "or"; readonly parts: readonly Condition[] }
  | { readonly kind: "not"; readonly part: Condition };

const EXPRESSION_BYTES_MAX = 4096;
const token =
  /\s*(?:(<>|<=|>=|[=<>(),+\-.[\]])|(:[A-Za-z0-9_]+)|(#[A-Za-z0-9_]+)|([A-Za-z_][A-Za-z0-9_]*)|(\d+))/y;

/** A cursor over an expression's words. Condition, key condition and update expressions share it. */
export class ExpressionReader {
  readonly #words: string[] = [];
  readonly #placeholders: Placeholders;
  #at = 0;

  constructor(text: string, placeholders: Placeholders) {
    if (Buffer.byteLength(text) > EXPRESSION_BYTES_MAX)
      throw invalid(`Invalid expression: it is longer than ${EXPRESSION_BYTES_MAX} bytes`);
    token.lastIndex = 0;
    let end = 0;
    for (let match = token.exec(text); match !== null; match = token.exec(text)) {
      this.#words.push(match[0].trim());
      end = token.lastIndex;
    }
    if (text.slice(end).trim() !== "")
      throw invalid(`Invalid expression: Syntax error; token: "${text.slice(end).trim().slice(0, 20)}"`);
    this.#placeholders = placeholders;
  }

  peek(): string | undefined {
    return this.#words[this.#at];
  }
  next(): string {
    const word = this.#words[this.#at++];
    if (word === undefined) throw invalid("Invalid expression: Syntax error; it ends too early");
    return word;
  }
  /** Takes the keyword or sign if it is the next. */
  take(word: string): boolean {
    if (this.peek()?.toUpperCase() !== word) return false;
    this.#at++;
    return true;
  }
  expect(word: string): void {
    if (!this.take(word))
      throw invalid(
        `Invalid expression: Syntax error; expected "${word}", found "${this.peek() ?? "the end"}"`,
      );
  }
  get isAtEnd(): boolean {
    return this.#at >= this.#words.length;
  }

  path(): readonly string[] {
    const path = [this.#name(this.next())];
    while (this.take(".")) path.push(this.#name(this.next()));
    if (this.peek() === "[") throw invalid("Invalid expression: elements of lists are not simulated");
    return path;
  }

  value(): AttributeValue {
    const word = this.next();
    const value = this.#placeholders.values[word];
    if (!word.startsWith(":") || value === undefined)
      throw invalid(
        `Invalid expression: An expression attribute value used in expression is not defined; attribute value: ${word}`,
      );
    return value;
  }

  operand(): Operand {
    if (this.peek()?.startsWith(":") === true) return { kind: "value", value: this.value() };
    if (this.peek() === "size") {
      this.next();
      this.expect("(");
      const path = this.path();
      this.expect(")");
      return { kind: "size", path };
    }
    return { kind: "path", path: this.path() };
  }

  #name(word: string): string {
    if (!word.startsWith("#")) {
      if (!/^[A-Za-z_]/.test(word)) throw invalid(`Invalid expression: Syntax error; token: "${word}"`);
      return word;
    }
    const name = this.#placeholders.names[word];
    if (name === undefined)
      throw invalid(
        `Invalid expression: An expression attribute name used in the document path is not defined; attribute name: ${word}`,
      );
    return name;
  }
}

/** `OR` of `AND` of `NOT` of comparisons, functions and brackets. */
export function readCondition(text: string, placeholders: Placeholders): Condition {
  const reader = new ExpressionReader(text, placeholders);
  const condition = disjunction(reader, 0);
  if (!reader.isAtEnd) throw invalid(`Invalid expression: Syntax error; token: "${reader.peek() ?? ""}"`);
  return condition;
}

const DEPTH_MAX = 32;

function disjunction(reader: ExpressionReader, depth: number): Condition {
  if (depth > DEPTH_MAX) throw invalid("Invalid expression: it is nested too deeply");
  const parts = [conjunction(reader, depth)];
  while (reader.take("OR")) parts.push(conjunction(reader, depth));
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "or", parts };
}

function conjunction(reader: ExpressionReader, depth: number): Condition {
  const parts = [negation(reader, depth)];
  while (reader.take("AND")) parts.push(negation(reader, depth));
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "and", parts };
}

function negation(reader: ExpressionReader, depth: number): Condition {
  if (depth > DEPTH_MAX) throw invalid("Invalid expression: it is nested too deeply");
  if (reader.take("NOT")) return { kind: "not", part: negation(reader, depth + 1) };
  if (reader.take("(")) {
    const inner = disjunction(reader, depth + 1);
    reader.expect(")");
    return inner;
  }
  return comparison(reader);
}

/** The functions, by how many operands they take. */
const functions: Readonly<Record<string, number>> = {
  attribute_exists: 1,
  attribute_not_exists: 1,
  attribute_type: 2,
  begins_with: 2,
  contains: 2,
};
const types = ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"];
/** DynamoDB's own bound. */
const AMONG_MAX = 100;

function comparison(reader: ExpressionReader): Condition {
  const word = reader.peek();
  const operands = word === undefined || !Object.hasOwn(functions, word) ? undefined : functions[word];
  if (word !== undefined && operands !== undefined) {
    reader.next();
    reader.expect("(");
    const path = reader.path();
    const argument = reader.take(",") ? reader.operand() : undefined;
    reader.expect(")");
    if ((argument === undefined ? 1 : 2) !== operands)
      throw invalid(`Invalid expression: Incorrect number of operands for operator or function: ${word}`);
    checkArgument(word, argument);
    return { kind: "call", name: word, path, argument };
  }
  const left = reader.operand();
  if (reader.take("BETWEEN")) {
    const low = reader.operand();
    reader.expect("AND");
    const high = reader.operand();
    checkBounds(low, high);
    return { kind: "between", operand: left, low, high };
  }
  if (reader.take("IN")) {
    reader.expect("(");
    const among = [reader.operand()];
    while (reader.take(",")) among.push(reader.operand());
    reader.expect(")");
    if (among.length > AMONG_MAX)
      throw invalid(`Invalid expression: IN has ${among.length} operands, and ${AMONG_MAX} are the most`);
    return { kind: "in", operand: left, among };
  }
  const operator = reader.next();
  if (!["=", "<>", "<", "<=", ">", ">="].includes(operator))
    throw invalid(`Invalid expression: Syntax error; token: "${operator}"`);
  return { kind: "compare", operator, left, right: reader.operand() };
}

/** What can be said of an operand's type before any item is looked at. */
function checkArgument(name: string, argument: Operand | undefined): void {
  if (argument?.kind !== "value") return;
  const [type = ""] = Object.keys(argument.value);
  const isRight =
    name === "begins_with" ? type === "S" || type === "B" : name !== "attribute_type" || type === "S";
  if (!isRight)
    throw invalid(
      `Invalid expression: Incorrect operand type for operator or function; operator or function: ${name}, operand type: ${type}`,
    );
  if (name === "attribute_type" && "S" in argument.value && !types.includes(argument.value.S))
    throw invalid(
      `Invalid expression: Invalid attribute type name found; type: ${argument.value.S}, valid types: {${types.join(",")}}`,
    );
}

function checkBounds(low: Operand, high: Operand): void {
  if (low.kind !== "value" || high.kind !== "value") return;
  const [from = "", to = ""] = [low.value, high.value].map((value) => Object.keys(value)[0]);
  const told = `lower bound operand: AttributeValue: {${from}}, upper bound operand: AttributeValue: {${to}}`;
  if (from !== to)
    throw invalid(
      `Invalid expression: The BETWEEN operator requires same data type for lower and upper bounds; ${told}`,
    );
  if ((compareValues(low.value, high.value) ?? 0) > 0)
    throw invalid(
      `Invalid expression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; ${told}`,
    );
}

export function holds(condition: Condition, item: Item): boolean {
  switch (condition.kind) {
    case "and":
      return condition.parts.every((part) => holds(part, item));
    case "or":
      return condition.parts.some((part) => holds(part, item));
    case "not":
      return !holds(condition.part, item);
    case "between": {
      const value = valueOf(condition.operand, item);
      const low = valueOf(condition.low, item);
      const high = valueOf(condition.high, item);
      if (value === undefined || low === undefined || high === undefined) return false;
      return (compareValues(value, low) ?? -1) >= 0 && (compareValues(value, high) ?? 1) <= 0;
    }
    case "in": {
      const value = valueOf(condition.operand, item);
      return condition.among.some((one) => {
        const other = valueOf(one, item);
        return value !== undefined && other !== undefined && equalValues(value, other);
      });
    }
    case "call":
      return callHolds(condition, item);
    case "compare":
      break;
  }
  return comparisonHolds(condition, item);
}

function callHolds(condition: Extract<Condition, { kind: "call" }>, item: Item): boolean {
  const value = attributeAt(item, condition.path);
  const argument = condition.argument && valueOf(condition.argument, item);
  switch (condition.name) {
    case "attribute_exists":
      return value !== undefined;
    case "attribute_not_exists":
      return value === undefined;
    case "attribute_type":
      return value !== undefined && argument !== undefined && "S" in argument && argument.S in value;
    case "begins_with":
      return (
        value !== undefined &&
        argument !== undefined &&
        "S" in value &&
        "S" in argument &&
        value.S.startsWith(argument.S)
      );
    default:
      if (value === undefined || argument === undefined) return false;
      if ("S" in value && "S" in argument) return value.S.includes(argument.S);
      if ("SS" in value && "S" in argument) return value.SS.includes(argument.S);
      if ("NS" in value && "N" in argument) return value.NS.includes(argument.N);
      return "L" in value && value.L.some((one) => equalValues(one, argument));
  }
}

function comparisonHolds(condition: Extract<Condition, { kind: "compare" }>, item: Item): boolean {
  const left = valueOf(condition.left, item);
  const right = valueOf(condition.right, item);
  if (left === undefined || right === undefined) return condition.operator === "<>" && left !== right;
  if (condition.operator === "=") return equalValues(left, right);
  if (condition.operator === "<>") return !equalValues(left, right);
  const order = compareValues(left, right);
  if (order === undefined) return false;
  return condition.operator === "<"
    ? order < 0
    : condition.operator === "<="
      ? order <= 0
      : condition.operator === ">"
        ? order > 0
        : order >= 0;
}

export function valueOf(operand: Operand, item: Item): AttributeValue | undefined {
  if (operand.kind === "value") return operand.value;
  const value = attributeAt(item, operand.path);
  if (operand.kind === "path" || value === undefined) return value;
  const [content] = Object.values(value);
  const size =
    "S" in value
      ? Buffer.byteLength(value.S)
      : "B" in value
        ? Buffer.from(value.B, "base64").length
        : "M" in value
          ? Object.keys(value.M).length
          : Array.isArray(content)
            ? content.length
            : undefined;
  return size === undefined ? undefined : { N: String(size) };
}

export function attributeAt(item: Item, path: readonly string[]): AttributeValue | undefined {
  const [first = "", ...rest] = path;
  const value = Object.hasOwn(item, first) ? item[first] : undefined;
  if (rest.length === 0 || value === undefined) return value;
  return "M" in value ? attributeAt(value.M, rest) : undefined;
}
