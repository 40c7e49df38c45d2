import * as fc from "fast-check";
import { expect, test } from "vitest";
import { DeploymentQueue, type Deployment } from "./deployment.ts";

const deployment = fc.record({
  id: fc.constantFrom("a", "b", "c", "d"),
  source: fc.constantFrom("IOT_JOBS" as const, "SHADOW" as const, "LOCAL" as const),
  document: fc.nat(1000),
});
const step = fc.oneof(
  { weight: 3, arbitrary: deployment.map((offered) => ({ kind: "offer" as const, offered })) },
  fc.constant({ kind: "take" as const }),
  fc.constantFrom("a", "b", "c", "d").map((id) => ({ kind: "withdraw" as const, id })),
);

/** The rule a second time, as a list that is looked through. */
class Model {
  waiting: Deployment[] = [];
  offer(offered: Deployment): void {
    if (offered.source === "SHADOW") this.waiting = this.waiting.filter(({ source }) => source !== "SHADOW");
    const at = this.waiting.findIndex(({ id }) => id === offered.id);
    if (at < 0) this.waiting.push(offered);
    else this.waiting[at] = offered;
  }
  withdraw(id: string): boolean {
    const before = this.waiting.length;
    this.waiting = this.waiting.filter((each) => each.id !== id);
    return this.waiting.length < before;
  }
}

test("deployments wait in order of arrival, one by its id, and of the shadow's only the newest [core-device-6.26]", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const queue = new DeploymentQueue();
      const model = new Model();
      for (const next of steps) {
        if (next.kind === "offer") {
          queue.offer(next.offered);
          model.offer(next.offered);
        } else if (next.kind === "take") expect(queue.take()).toEqual(model.waiting.shift());
        else expect(queue.withdraw(next.id)).toBe(model.withdraw(next.id));
        expect(queue.size).toBe(model.waiting.length);
      }
      for (const left of model.waiting) expect(queue.take()).toEqual(left);
    }),
    { numRuns: 2000 },
  );
});
