import type { Clock } from "@coalmine/ports";
import { ServiceError } from "./service.ts";

/** A function in place of AWS Lambda, handed in by whoever composes the cloud. What it throws is its failure. */
export type CloudFunction = (event: unknown) => unknown;
export type CloudFunctions = Readonly<Record<string, CloudFunction>>;

/** @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const FUNCTION_MS_MAX = 900_000;

/** Calls functions by the ARN, or the name, that rules, topics and events know them by. */
export class Functions {
  readonly #functions: CloudFunctions;
  readonly #clock: Clock;

  constructor(functions: CloudFunctions, clock: Clock) {
    this.#functions = functions;
    this.#clock = clock;
  }

  /** Gives what the function gives. @throws ServiceError if there is none of that name or it takes too long. */
  async call(arn: string, event: unknown): Promise<unknown> {
    const name = /^arn:aws:lambda:[^:]*:[^:]*:function:([^:]+)/.exec(arn)?.[1] ?? arn;
    const run = Object.hasOwn(this.#functions, name) ? this.#functions[name] : undefined;
    if (run === undefined)
      throw new ServiceError("ResourceNotFoundException", 404, `Function not found: ${arn}`);
    const ended = new AbortController();
    try {
      return await Promise.race([run(event), this.#tooLong(name, ended.signal)]);
    } finally {
      ended.abort();
    }
  }

  async #tooLong(name: string, signal: AbortSignal): Promise<never> {
    await this.#clock.sleep(FUNCTION_MS_MAX, signal).catch(() => undefined);
    throw new ServiceError(
      "TooManyRequestsException",
      429,
      `${name} did not end within ${FUNCTION_MS_MAX / 1000} s.`,
    );
  }
}
