import { ServiceError, type Caller, type Input, type Output, type Service } from "./service.ts";
import type { Store } from "./store/store.ts";

/** Says no by throwing `ServiceError`, or nothing. */
export type Authorize = (caller: Caller, service: string, operation: string, input: Input) => void;

/** The one way into the services, for the network door and for callers in the same process. */
export class Operations {
  readonly #services: ReadonlyMap<string, Service>;
  readonly #store: Store;
  readonly #authorize: Authorize;

  constructor(services: readonly Service[], store: Store, authorize: Authorize) {
    this.#services = new Map(services.map((service) => [service.signingName, service]));
    this.#store = store;
    this.#authorize = authorize;
  }

  /** Runs the operation and makes what it did durable. Refusals are `ServiceError`s. */
  async invoke(service: string, operation: string, input: Input, caller: Caller): Promise<Output> {
    const operations = this.#services.get(service)?.operations;
    const run = operations && Object.hasOwn(operations, operation) ? operations[operation] : undefined;
    if (run === undefined)
      throw new ServiceError(
        "UnknownOperationException",
        404,
        `${operation} of ${service} is not simulated; simulator/DIFFERENCES.md lists what is.`,
      );
    this.#authorize(caller, service, operation, input);
    const output = await run(input, caller);
    await this.#store.commit();
    return output;
  }
}
