import { invalidValue } from "./errors.ts";
import { limits } from "./limits.ts";

/** Gives the value of an expression, from the values of other queries at the same time; undefined where one lacks. */
export type Formula = (valueOf: (id: string) => number | undefined) => number | undefined;

/** `+ - * / ^`, numbers, ids and brackets. @throws ServiceError for anything else. */
export function formula(expression: string): Formula {
  if (expression.length > limits.mathCharactersMax)
    throw invalidValue(
      `The expression has ${expression.length} characters; ${limits.mathCharactersMax} are allowed.`,
    );
  const tokens = expression.match(/\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[a-z][A-Za-z0-9_]*|\S/g) ?? [];
  let at = 0;
  let depth = 0;
  const fault = () =>
    invalidValue(
      `Error in expression '${expression}': unexpected '${tokens[at] ?? "end"}'; + - * / ^, numbers and ids are simulated.`,
    );
  const takes = (token: string): boolean => {
    if (tokens[at] !== token) return false;
    at++;
    return true;
  };
  const level = (next: () => Formula, apply: Readonly<Record<string, (a: number, b: number) => number>>) => {
    return (): Formula => {
      let left = next();
      for (let run = apply[tokens[at] ?? ""]; run !== undefined; run = apply[tokens[at] ?? ""]) {
        at++;
        left = combined(left, next(), run);
      }
      return left;
    };
  };
  const primary = (): Formula => {
    if (++depth > limits.mathDepthMax) throw fault();
    const token = tokens[at] ?? "";
    let value: Formula;
    if (takes("(")) {
      value = sum();
      if (!takes(")")) throw fault();
    } else if (takes("-")) {
      const inner = primary();
      value = (valueOf) => {
        const number = inner(valueOf);
        return number === undefined ? undefined : -number;
      };
    } else if (/^\d/.test(token)) {
      at++;
      value = () => Number(token);
    } else if (/^[a-z]/.test(token)) {
      at++;
      value = (valueOf) => valueOf(token);
    } else throw fault();
    depth--;
    return value;
  };
  const power = level(primary, { "^": (a, b) => a ** b });
  const product = level(power, { "*": (a, b) => a * b, "/": (a, b) => a / b });
  const sum: () => Formula = level(product, { "+": (a, b) => a + b, "-": (a, b) => a - b });
  const whole = sum();
  if (at < tokens.length) throw fault();
  return whole;
}

function combined(left: Formula, right: Formula, run: (a: number, b: number) => number): Formula {
  return (valueOf) => {
    const [a, b] = [left(valueOf), right(valueOf)];
    const value = a === undefined || b === undefined ? Number.NaN : run(a, b);
    return Number.isFinite(value) ? value : undefined;
  };
}

/** The ids that an expression asks for. */
export function idsOf(expression: string): readonly string[] {
  return expression.match(/(?<![A-Za-z0-9_.])[a-z][A-Za-z0-9_]*/g) ?? [];
}
