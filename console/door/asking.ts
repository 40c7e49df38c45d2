import type { OperatorCall, operatorCalls } from "@coalmine/contract/operator-api";
import type * as z from "zod";
import type { KeptAnswers, Last } from "./kept-answers.ts";
import { difference, type Shape } from "./shape.ts";

/** The contract's calls as the build takes them over: all that the console knows of the API. */
export type Calls = Readonly<
  Record<OperatorCall, { readonly method: string; readonly path: string; readonly shape: Shape }>
>;
export type Answer<Call extends OperatorCall> = z.output<(typeof operatorCalls)[Call]["answer"]>;

/** Why something was not answered. `unreachable` and `strange` are of the console, the other codes of the API. */
export interface Refusal {
  readonly code: string;
  readonly sentence: string;
  /** What to do; empty where nobody knows. */
  readonly next: string;
  readonly status: number;
}
export type Answered<Value> =
  | { readonly kind: "answer"; readonly value: Value }
  /** `last` is what the same was answered with before, where the server cannot be reached. */
  | ({ readonly kind: "refusal"; readonly last?: Last<Value> } & Refusal);

export interface AskParts {
  readonly calls: Calls;
  readonly fetch: (path: string, init: RequestInit) => Promise<Response>;
  readonly kept: KeptAnswers;
  /** Told each time that the API answers what was asked. */
  readonly answered: () => void;
  /** Told when the API knows nobody here any more. */
  readonly signedOut: () => void;
}

/** Of no use once they are old, and of a device's own words. */
const PASSING: ReadonlySet<OperatorCall> = new Set<OperatorCall>(["logs", "signIn"]);

/** Longer than any answer takes; a phone in a lift waits for ever. */
const ANSWER_MS_MAX = 20_000;

export type Ask = <Call extends OperatorCall>(
  call: Call,
  values?: Readonly<Record<string, string>>,
  body?: object,
) => Promise<Answered<Answer<Call>>>;

/** Asks the API. Members of `values` that the call's path does not name become its query. Never throws. */
export function asking({ calls, fetch, kept, answered, signedOut }: AskParts): Ask {
  return async <Call extends OperatorCall>(
    call: Call,
    values: Readonly<Record<string, string>> = {},
    body?: object,
  ): Promise<Answered<Answer<Call>>> => {
    const { method, path, shape } = calls[call];
    const at = filled(path, values);
    const isKept = method === "GET" && !PASSING.has(call);
    // Whoever goes leaves nothing behind, also where the server does not hear it.
    if (call === "leave") kept.forget();
    let response: Response;
    let value: unknown;
    try {
      response = await fetch(at, {
        method,
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
        ...(body === undefined
          ? {}
          : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      });
      value = await response.json();
    } catch (failure) {
      const last = isKept ? kept.last(at) : undefined;
      return {
        kind: "refusal",
        code: "unreachable",
        sentence: String(failure),
        next: "",
        status: 0,
        // A new release of the console may know it no more.
        ...(last === undefined || difference(last.value, shape) !== undefined
          ? {}
          : // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as below.
            { last: last as Last<Answer<Call>> }),
      };
    }
    if (response.status === 401) {
      kept.forget();
      signedOut();
    }
    if (!response.ok) return { kind: "refusal", status: response.status, ...problemOf(value) };
    const differs = difference(value, shape);
    if (differs !== undefined)
      return { kind: "refusal", code: "strange", sentence: `${call}: ${differs}`, next: "", status: 200 };
    if (call === "me" && !isSame(kept.last(at)?.value, value)) kept.forget();
    if (isKept) kept.keep(at, value);
    answered();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has the shape that this type was made from.
    return { kind: "answer", value: value as Answer<Call> };
  };
}

/** Whether that is the same person, who may see what was kept. */
function isSame(before: unknown, now: unknown): boolean {
  const of = (session: unknown): string => JSON.stringify([Object(session).who, Object(session).role]);
  return of(before) === of(now);
}

export function filled(path: string, values: Readonly<Record<string, string>>): string {
  const named = new Set<string>();
  const here = path.replaceAll(/:(\w+)/g, (_, name: string) => {
    named.add(name);
    return encodeURIComponent(values[name] ?? "");
  });
  const query = new URLSearchParams(Object.entries(values).filter(([name]) => !named.has(name))).toString();
  return query === "" ? here : `${here}?${query}`;
}

function problemOf(value: unknown): Omit<Refusal, "status"> {
  const { code, sentence, next } = {
    code: "strange",
    sentence: JSON.stringify(value),
    next: "",
    ...Object(value),
  };
  return { code: String(code), sentence: String(sentence), next: String(next) };
}
