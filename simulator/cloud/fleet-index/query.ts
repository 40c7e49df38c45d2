import { fits } from "../iot/wildcards.ts";
import { ServiceError } from "../service.ts";
import { limits } from "./limits.ts";

/**
 * The part of the fleet index's query language that this cloud reads.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/query-syntax.html
 */
export interface FleetQuery {
  readonly root: Condition;
  /** The fields it names. */
  readonly fields: ReadonlySet<string>;
}

type Condition =
  | { readonly kind: "everything" }
  | { readonly kind: "all"; readonly parts: readonly Condition[] }
  | { readonly kind: "any"; readonly parts: readonly Condition[] }
  | { readonly kind: "not"; readonly part: Condition }
  /** Without a field a term is looked for in all of them. */
  | { readonly kind: "term"; readonly field: string | undefined; readonly test: Test };

type Test =
  | { readonly kind: "exists" }
  /** Both in lower case: the whole value or one of its words; words of it that stand side by side. */
  | { readonly kind: "word"; readonly pattern: string }
  | { readonly kind: "phrase"; readonly words: string }
  | { readonly kind: "range"; readonly from: Bound | undefined; readonly to: Bound | undefined };
interface Bound {
  readonly value: string;
  readonly inclusive: boolean;
}

export type FieldValue = string | number | boolean;
/** What the index holds of one thing. */
export interface IndexedThing {
  valuesOf(field: string): readonly FieldValue[];
  /** Those in which a term without a field is looked for. */
  allValues(): Iterable<FieldValue>;
}

/** @throws ServiceError InvalidQueryException, which names what is not read. */
export function parseQuery(text: string): FleetQuery {
  if (text.length > limits.queryCharactersMax)
    throw invalidQuery(`it has ${text.length} characters, at most ${limits.queryCharactersMax} are allowed`);
  return new Parser(text).query();
}

export function matches({ root }: FleetQuery, thing: IndexedThing): boolean {
  return holds(root, thing);
}

function holds(condition: Condition, thing: IndexedThing): boolean {
  if (condition.kind === "everything") return true;
  if (condition.kind === "not") return !holds(condition.part, thing);
  if (condition.kind === "all") return condition.parts.every((part) => holds(part, thing));
  if (condition.kind === "any") return condition.parts.some((part) => holds(part, thing));
  const { field, test } = condition;
  for (const value of field === undefined ? thing.allValues() : thing.valuesOf(field))
    if (passes(test, value)) return true;
  return false;
}

function passes(test: Test, value: FieldValue): boolean {
  const { kind } = test;
  if (kind === "exists") return true;
  if (kind === "range") {
    const { from, to } = test;
    const low = from === undefined ? 1 : compare(value, from.value);
    const high = to === undefined ? -1 : compare(value, to.value);
    return (
      (low > 0 || (low === 0 && from?.inclusive === true)) &&
      (high < 0 || (high === 0 && to?.inclusive === true))
    );
  }
  const text = String(value).toLowerCase();
  const words = wordsOf(text);
  if (kind === "phrase") return ` ${words.join(" ")} `.includes(` ${test.words} `);
  return fits(test.pattern, text) || words.some((word) => fits(test.pattern, word));
}

/** As numbers where both are, otherwise as text in whatever case. */
function compare(value: FieldValue, bound: string): number {
  const [one, other] = [Number(value), Number(bound)];
  if (bound.trim() !== "" && String(value).trim() !== "" && !Number.isNaN(one) && !Number.isNaN(other))
    return one - other;
  const [left, right] = [String(value).toLowerCase(), bound.toLowerCase()];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Sticky, each at one place of the text. A backslash takes the next character as it is. */
const WORD = /(?:[^\s()[\]{}":<>=\\~^/`@#%',;]|\\.)+/y;
const PHRASE = /"((?:[^"\\]|\\.)*)"/y;
const RANGE = /([[{])\s*((?:[^\s\]}\\]|\\.)+)\s+TO\s+((?:[^\s\]}\\]|\\.)+)\s*([\]}])/y;
const COMPARISON = /([<>])(=?)\s*/y;

class Parser {
  readonly #text: string;
  readonly #fields = new Set<string>();
  #at = 0;
  #terms = 0;
  #leadingWildcards = 0;

  constructor(text: string) {
    this.#text = text;
  }

  query(): FleetQuery {
    const root = this.#any(undefined);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unread();
    return { root, fields: this.#fields };
  }

  /** `field` is that of the group around, as in `thingName:(a* OR b*)`. */
  #any(field: string | undefined): Condition {
    const parts = [this.#all(field)];
    while (this.#takeWord("OR")) parts.push(this.#all(field));
    return oneOf("any", parts);
  }

  #all(field: string | undefined): Condition {
    const parts = [this.#one(field)];
    // What stands side by side must hold together.
    while (this.#takeWord("AND") || this.#goesOn()) parts.push(this.#one(field));
    return oneOf("all", parts);
  }

  #goesOn(): boolean {
    this.#skipSpace();
    const rest = this.#text.slice(this.#at);
    return rest !== "" && !rest.startsWith(")") && !/^OR(?=[\s(]|$)/.test(rest);
  }

  #one(field: string | undefined): Condition {
    this.#skipSpace();
    if (this.#takeWord("NOT") || this.#takeSymbol("-")) return { kind: "not", part: this.#one(field) };
    if (this.#takeSymbol("(")) {
      const inner = this.#any(field);
      this.#skipSpace();
      if (!this.#takeSymbol(")")) throw this.#unread();
      return inner;
    }
    if (field !== undefined) return this.#value(field);
    const start = this.#at;
    const name = this.#match(WORD)?.[0];
    if (name !== undefined && this.#takeSymbol(":")) return this.#fieldValue(name);
    if (name !== undefined && /[<>]/.test(this.#text.charAt(this.#at))) return this.#value(this.#field(name));
    if (name === "*") return { kind: "everything" };
    this.#at = start;
    return this.#value(undefined);
  }

  #fieldValue(name: string): Condition {
    const field = this.#field(name);
    this.#skipSpace();
    return this.#text.charAt(this.#at) === "(" ? this.#one(field) : this.#value(field);
  }

  #field(name: string): string {
    const field = unescaped(name);
    if (!isField(field))
      throw invalidQuery(
        `${field} is no field of the index here; those of the registry (thingName, thingTypeName, thingGroupNames, attributes.NAME), of connectivity and of shadows (shadow.reported.PATH, shadow.name.SHADOW.reported.PATH) are`,
      );
    this.#fields.add(field);
    return field;
  }

  #value(field: string | undefined): Condition {
    if (++this.#terms > limits.termsMax) throw invalidQuery(`it has more than ${limits.termsMax} terms`);
    const term = (test: Test): Condition => ({ kind: "term", field, test });
    const range = field === undefined ? null : this.#match(RANGE);
    if (range !== null) {
      const [, open, from = "", to = "", close] = range;
      return term({
        kind: "range",
        from: from === "*" ? undefined : { value: unescaped(from), inclusive: open === "[" },
        to: to === "*" ? undefined : { value: unescaped(to), inclusive: close === "]" },
      });
    }
    const comparison = field === undefined ? null : this.#match(COMPARISON);
    if (comparison !== null) {
      const word = this.#match(WORD)?.[0];
      if (word === undefined) throw this.#unread();
      const bound = { value: unescaped(word), inclusive: comparison[2] === "=" };
      const isAbove = comparison[1] === ">";
      return term({ kind: "range", from: isAbove ? bound : undefined, to: isAbove ? undefined : bound });
    }
    const phrase = this.#match(PHRASE);
    if (phrase !== null)
      return term({ kind: "phrase", words: wordsOf(unescaped(phrase[1] ?? "").toLowerCase()).join(" ") });
    const word = this.#match(WORD)?.[0];
    if (word === undefined) throw this.#unread();
    if (word === "*") return term({ kind: "exists" });
    if (/^[*?]/.test(word)) this.#leadingWildcard();
    if (/\\[*?]/.test(word))
      throw invalidQuery(`a wildcard that is escaped, as in "${word}", is not read here`);
    return term({ kind: "word", pattern: unescaped(word).toLowerCase() });
  }

  #leadingWildcard(): void {
    if (++this.#leadingWildcards > limits.leadingWildcardsMax)
      throw invalidQuery("only one of its terms may begin with a wildcard");
    if (this.#text.length > limits.leadingWildcardCharactersMax)
      throw invalidQuery(
        `a query with a leading wildcard has at most ${limits.leadingWildcardCharactersMax} characters`,
      );
  }

  #match(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.#at;
    const match = sticky.exec(this.#text);
    if (match !== null) this.#at = sticky.lastIndex;
    return match;
  }
  #takeWord(word: "AND" | "OR" | "NOT"): boolean {
    this.#skipSpace();
    const rest = this.#text.slice(this.#at);
    if (!rest.startsWith(word) || !/^[\s(]/.test(rest.slice(word.length))) return false;
    this.#at += word.length;
    return true;
  }
  #takeSymbol(symbol: string): boolean {
    if (this.#text.charAt(this.#at) !== symbol) return false;
    this.#at++;
    return true;
  }
  #skipSpace(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at++;
  }
  #unread(): ServiceError {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    return invalidQuery(
      rest === "" ? "it ends where a term is expected" : `"${rest}" at ${this.#at} is not read here`,
    );
  }
}

function oneOf(kind: "all" | "any", parts: readonly Condition[]): Condition {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { kind, parts };
}

function isField(name: string): boolean {
  return (
    /^(?:thingName|thingId|thingTypeName|thingGroupNames|attributes\..+)$/s.test(name) ||
    /^connectivity\.(?:connected|timestamp|disconnectReason)$/.test(name) ||
    /^shadow\.(?:name\.[^.]+\.)?(?:hasDelta|(?:reported|desired|delta)(?:\..+)?)$/s.test(name)
  );
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gs, "$1");
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function invalidQuery(why: string): ServiceError {
  return new ServiceError("InvalidQueryException", 400, `The query cannot be used: ${why}.`);
}
