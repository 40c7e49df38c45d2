import { limits } from "../limits.ts";
import {
  arrayOf,
  binary,
  caseOf,
  casts,
  memberOf,
  minus,
  not,
  objectOf,
  wholePayload,
  type BinaryOperator,
  type Evaluate,
} from "./expression.ts";
import { functions } from "./functions.ts";
import { Scanner, sqlFault } from "./scanner.ts";
import type { SelectItem, Statement } from "./statement.ts";
import type { SqlValue } from "./value.ts";

/** Reads a rule's statement. @throws ServiceError `SqlParseException` with the place of the fault. */
export function parseStatement(source: string): Statement {
  return new Parser(source, 0).statement();
}

/** The expression of a template whose `${` ends at `from`, and the place behind its `}`. */
export function parseTemplateExpression(source: string, from: number): { value: Evaluate; end: number } {
  return new Parser(source, from).template();
}

/** Loosest first. */
const levels: readonly (readonly BinaryOperator[])[] = [
  ["OR"],
  ["AND"],
  ["=", "<>", "<=", ">=", "<", ">"],
  ["+", "-"],
  ["*", "/", "%"],
];
/** The operands of AND, and so all that NOT may stand before. */
const COMPARISON = 2;
const reserved = new Set(
  "SELECT VALUE FROM WHERE AS AND OR NOT CASE WHEN THEN ELSE END TRUE FALSE NULL".split(" "),
);

class Parser {
  readonly #scanner: Scanner;
  readonly #source: string;
  #depth = 0;
  #parts = 0;

  constructor(source: string, from: number) {
    if (source.length > limits.sqlCharactersMax)
      throw sqlFault(`The text has ${source.length} characters; ${limits.sqlCharactersMax} are allowed.`);
    this.#source = source;
    this.#scanner = new Scanner(source, from);
  }

  statement(): Statement {
    this.#scanner.expect("SELECT");
    const select = this.#select();
    const from = this.#scanner.takes("FROM") ? this.#string("a topic filter in quotes") : undefined;
    const where = this.#scanner.takes("WHERE") ? this.#expression() : undefined;
    if (this.#scanner.peek.kind !== "end") throw this.#scanner.unexpected("the end of the statement");
    return { select, from, where };
  }

  template(): { value: Evaluate; end: number } {
    const value = this.#expression();
    this.#scanner.expect("}");
    return { value, end: this.#scanner.end };
  }

  #select(): Statement["select"] {
    if (this.#scanner.takes("VALUE")) return { kind: "value", value: this.#expression() };
    const items: SelectItem[] = [];
    do {
      items.push(this.#item());
    } while (this.#scanner.takes(","));
    return { kind: "items", items };
  }

  #item(): SelectItem {
    if (this.#scanner.takes("*")) return { kind: "all" };
    const { at } = this.#scanner.peek;
    const value = this.#expression();
    const text = this.#source.slice(at, this.#scanner.end).trim();
    const path = this.#scanner.takes("AS") ? this.#alias() : [isPath.test(text) ? lastName(text) : text];
    return { kind: "as", path, value };
  }

  #alias(): readonly string[] {
    if (this.#scanner.peek.kind === "string") return [this.#scanner.take().text];
    const path = [this.#word("a name")];
    while (this.#scanner.takes(".")) path.push(this.#word("a name"));
    return path;
  }

  #expression(): Evaluate {
    return this.#nested(() => this.#level(0));
  }

  #level(level: number): Evaluate {
    const operators = levels[level];
    if (operators === undefined) return this.#unary();
    if (level === COMPARISON && this.#scanner.takes("NOT"))
      return this.#made(not(this.#nested(() => this.#level(COMPARISON))));
    let left = this.#level(level + 1);
    for (let operator = this.#operator(operators); operator; operator = this.#operator(operators))
      left = this.#made(binary(operator, left, this.#level(level + 1)));
    return left;
  }

  #operator(operators: readonly BinaryOperator[]): BinaryOperator | undefined {
    if (operators.includes("<>") && this.#scanner.takes("!=")) return "<>";
    return operators.find((operator) => this.#scanner.takes(operator));
  }

  #unary(): Evaluate {
    if (this.#scanner.takes("-")) return this.#made(minus(this.#nested(() => this.#unary())));
    let value = this.#primary();
    while (this.#scanner.takes(".")) value = this.#made(memberOf(value, this.#word("a member's name")));
    return value;
  }

  #primary(): Evaluate {
    const { peek } = this.#scanner;
    if (peek.kind === "number") {
      this.#scanner.take();
      return this.#literal(peek.value);
    }
    if (peek.kind === "string") return this.#literal(this.#scanner.take().text);
    if (this.#scanner.takes("(")) {
      const inner = this.#expression();
      this.#scanner.expect(")");
      return inner;
    }
    if (this.#scanner.takes("[")) return this.#made(arrayOf(this.#list("]", () => this.#expression())));
    if (this.#scanner.takes("{")) return this.#made(objectOf(this.#list("}", () => this.#member())));
    if (this.#scanner.takes("TRUE")) return this.#literal(true);
    if (this.#scanner.takes("FALSE")) return this.#literal(false);
    if (this.#scanner.takes("NULL")) return this.#literal(null);
    if (this.#scanner.takes("CASE")) return this.#case();
    const name = this.#word("a value");
    return this.#scanner.takes("(") ? this.#call(name) : this.#made(memberOf(wholePayload, name));
  }

  #literal(value: SqlValue): Evaluate {
    return this.#made(() => value);
  }

  #member(): readonly [readonly string[], Evaluate] {
    const key = this.#string("a key in quotes");
    this.#scanner.expect(":");
    return [[key], this.#expression()];
  }

  #case(): Evaluate {
    const hasSubject = this.#scanner.peek.text.toUpperCase() !== "WHEN";
    const subject = hasSubject ? this.#expression() : this.#literal(true);
    const branches: { when: Evaluate; value: Evaluate }[] = [];
    while (this.#scanner.takes("WHEN")) {
      const when = this.#expression();
      this.#scanner.expect("THEN");
      branches.push({ when, value: this.#expression() });
    }
    if (branches.length === 0) throw this.#scanner.unexpected("WHEN");
    const otherwise = this.#scanner.takes("ELSE") ? this.#expression() : this.#literal(undefined);
    this.#scanner.expect("END");
    return this.#made(caseOf(subject, branches, otherwise));
  }

  #call(name: string): Evaluate {
    if (name.toLowerCase() === "cast") return this.#cast();
    const known = functions.get(name.toLowerCase());
    if (known === undefined)
      throw sqlFault(`There is no function '${name}' here; docs/rules-sql.md lists them.`);
    const args = this.#list(")", () => this.#argument());
    const { least, most, run } = known;
    if (args.length < least || args.length > most)
      throw sqlFault(
        `${name} takes ${least === most ? least : `${least} to ${most}`} arguments, not ${args.length}.`,
      );
    return this.#made((payload, context) =>
      run(
        args.map((arg) => arg(payload, context)),
        context,
      ),
    );
  }

  /** `*` is the whole payload, as in `encode(*, 'base64')`. */
  #argument(): Evaluate {
    return this.#scanner.takes("*") ? this.#made(wholePayload) : this.#expression();
  }

  #cast(): Evaluate {
    const of = this.#expression();
    this.#scanner.expect("AS");
    const to = casts.get(this.#word("a type").toLowerCase());
    if (to === undefined) throw sqlFault("cast makes a String, an Int, a Decimal or a Boolean.");
    this.#scanner.expect(")");
    return this.#made((payload, context) => to(of(payload, context)));
  }

  #list<Item>(end: string, read: () => Item): readonly Item[] {
    const items: Item[] = [];
    if (this.#scanner.takes(end)) return items;
    do {
      items.push(read());
    } while (this.#scanner.takes(","));
    this.#scanner.expect(end);
    return items;
  }

  #word(wanted: string): string {
    const { peek } = this.#scanner;
    if (peek.kind !== "word" || reserved.has(peek.text.toUpperCase())) throw this.#scanner.unexpected(wanted);
    return this.#scanner.take().text;
  }

  #string(wanted: string): string {
    if (this.#scanner.peek.kind !== "string") throw this.#scanner.unexpected(wanted);
    return this.#scanner.take().text;
  }

  #nested(read: () => Evaluate): Evaluate {
    if (++this.#depth > limits.expressionDepthMax)
      throw sqlFault(`Expressions may lie in each other ${limits.expressionDepthMax} deep.`);
    const value = read();
    this.#depth--;
    return value;
  }

  #made(value: Evaluate): Evaluate {
    if (++this.#parts > limits.expressionPartsMax)
      throw sqlFault(`The statement has more than ${limits.expressionPartsMax} parts.`);
    return value;
  }
}

/** A path without an alias stands in the result under its last name. */
const isPath = /^[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*$/;

function lastName(path: string): string {
  return path.split(".").at(-1)?.trim() ?? path;
}
