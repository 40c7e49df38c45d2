import { ServiceError } from "../../service.ts";

export type Token =
  | { readonly kind: "word" | "string" | "symbol"; readonly text: string; readonly at: number }
  | { readonly kind: "number"; readonly text: string; readonly value: number; readonly at: number }
  | { readonly kind: "end"; readonly text: ""; readonly at: number };

const pattern =
  /\s*(?:(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|'(?<single>(?:[^']|'')*)'|"(?<double>(?:[^"]|"")*)"|(?<symbol><>|!=|<=|>=|[-+*/%=<>(),.[\]{}:]))/y;

/** The words of a statement, one ahead. It reads only as far as it is asked, since a template goes on after its `}`. */
export class Scanner {
  readonly source: string;
  #at: number;
  #next: Token;
  #before = 0;

  constructor(source: string, from = 0) {
    this.source = source;
    this.#at = from;
    this.#next = this.#scan();
  }

  get peek(): Token {
    return this.#next;
  }

  /** Where the last word that was taken ends. */
  get end(): number {
    return this.#before;
  }

  take(): Token {
    const token = this.#next;
    this.#before = this.#at;
    this.#next = this.#scan();
    return token;
  }

  /** Takes the symbol, or the word in whatever case, if it is next. */
  takes(text: string): boolean {
    const { kind } = this.#next;
    const fits =
      kind === "symbol"
        ? this.#next.text === text
        : kind === "word" && this.#next.text.toUpperCase() === text;
    if (fits) this.take();
    return fits;
  }

  /** @throws ServiceError unless it is next. */
  expect(text: string): void {
    if (!this.takes(text)) throw this.unexpected(`'${text}'`);
  }

  unexpected(wanted: string): ServiceError {
    const { kind, text, at } = this.#next;
    const found = kind === "end" ? "the end" : `'${text}'`;
    return sqlFault(`Expected ${wanted} but found ${found} at character ${at + 1}.`);
  }

  /** The closing brace of a template is the last thing that is read of it. */
  #scan(): Token {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.source);
    if (match === null) {
      const rest = this.source.slice(this.#at);
      const at = this.#at + rest.length - rest.trimStart().length;
      if (at >= this.source.length) return { kind: "end", text: "", at };
      this.#at = at + 1;
      return { kind: "symbol", text: this.source.charAt(at), at };
    }
    const { word, number, single, double, symbol } = match.groups ?? {};
    this.#at = pattern.lastIndex;
    const at = match.index + match[0].length - match[0].trimStart().length;
    if (word !== undefined) return { kind: "word", text: word, at };
    if (number !== undefined) return { kind: "number", text: number, value: Number(number), at };
    if (single !== undefined) return { kind: "string", text: single.replaceAll("''", "'"), at };
    if (double !== undefined) return { kind: "string", text: double.replaceAll('""', '"'), at };
    return { kind: "symbol", text: symbol ?? "", at };
  }
}

/** How AWS IoT refuses a statement. */
export function sqlFault(message: string): ServiceError {
  return new ServiceError("SqlParseException", 400, message);
}
