import type { Clock } from "@coalmine/ports";
import type { ConfigurationTree } from "../configuration/tree.ts";
import { SHADOW_MANAGER } from "../ipc/plugins.ts";
import { ShadowRefusal } from "./shadow-requests.ts";

const LIMITS = ["services", SHADOW_MANAGER, "configuration", "rateLimits"];
/** The shadow manager's own defaults. */
const PER_THING_PER_SECOND = 20;
const TOTAL_PER_SECOND = 200;

/** Requests that one second has seen, in all and by thing. */
export class RequestRate {
  readonly #clock: Clock;
  readonly #tree: ConfigurationTree;
  #second = -1;
  #total = 0;
  #byThing = new Map<string, number>();

  constructor(clock: Clock, tree: ConfigurationTree) {
    this.#clock = clock;
    this.#tree = tree;
  }

  /** Counts a request; throws `ShadowRefusal` where the second has had enough. */
  check(thingName: string): void {
    const second = Math.floor(this.#clock.monotonicMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#total = 0;
      this.#byThing = new Map();
    }
    const ofThing = this.#byThing.get(thingName) ?? 0;
    const perThing = this.#limit("maxLocalRequestsPerSecondPerThing", PER_THING_PER_SECOND);
    if (ofThing >= perThing || this.#total >= this.#limit("maxTotalLocalRequestsRate", TOTAL_PER_SECOND))
      throw new ShadowRefusal(429, "Too Many Requests");
    this.#total++;
    this.#byThing.set(thingName, ofThing + 1);
  }

  #limit(name: string, otherwise: number): number {
    return this.#tree.getNumber([...LIMITS, name]) ?? otherwise;
  }
}
