import type { Faults } from "./control/faults.ts";
import { ServiceError, type Caller, type Input, type Output, type Service } from "./service.ts";
import type { Store } from "./store/store.ts";

/** Says no by throwing `ServiceError`, or nothing. */
export type Authorize = (caller: Caller, service: string, operation: string, input: Input) => void;

/** The one way into the services, for the network door and for callers in the same process. */
export class Operations {
  readonly #services: ReadonlyMap<string, Service>;
  readonly #store: Store;
  readonly #authorize: Authorize;
  readonly #faults: Faults;

  constructor(services: readonly Service[], store: Store, authorize: Authorize, faults: Faults) {
    this.#services = new Map(services.map((service) => [service.signingName, service]));
    this.#store = store;
    this.#authorize = authorize;
    this.#faults = faults;
  }

  /** Runs the operation and makes what it did durable. Refusals are `ServiceError`s; `ReplyLost` is a fault's. */
  async invoke(service: string, operation: string, input: Input, caller: Caller): Promise<Output> {
    const operations = this.#services.get(service)?.operations;
    const run = operations && Object.hasOwn(operations, operation) ? operations[operation] : undefined;
    if (run === undefined)
      throw new ServiceError(
        "UnknownOperationException",
        404,
        `${operation} of ${service} is not simulated; simulator/DIFFERENCES.md lists what is.`,
      );
    const { identity } = caller;
    const thing = identity.kind === "account" ? undefined : identity.thingName;
    const call = { service, operation, thing };
    await this.#faults.pause(thing);
    this.#faults.before(call);
    this.#authorize(caller, service, operation, input);
    const output = await run(input, caller);
    await this.#store.commit();
    this.#faults.after(call);
    return output;
  }
}
