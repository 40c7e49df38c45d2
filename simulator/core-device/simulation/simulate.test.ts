import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";

/** So many lives; each takes about a tenth of a second. */
const isLong = process.env["COALMINE_LONG"] === "1";
const SEEDS = isLong ? 10_000 : 60;

test(
  "whatever is deployed, cut off, set wrong or crashes, the invariants hold after every step [core-device-11.1] [core-device-11.2] [core-device-11.3] [core-device-11.4] [core-device-11.5] [core-device-11.6] [core-device-11.7]",
  async () => {
    for (let seed = 1; seed <= SEEDS; seed++)
      await simulate(String(seed)).catch((failure: unknown) => {
        throw new Error(`replay it: npm run simulate:device -- --seed ${seed}`, { cause: failure });
      });
  },
  isLong ? 7_200_000 : undefined,
);

test("lives that once went wrong go right: an overtaken start, a rollback over what was broken, a clock set back, a job that ended unheard [core-device-4.17] [core-device-6.27] [core-device-4.18] [core-device-7.19]", async () => {
  for (const seed of ["1094", "1132", "1145", "2237"]) await simulate(seed);
});

test("the same seed is the same life, and another one is another [core-device-11.8]", async () => {
  const first = await simulate("7");
  expect(await simulate("7")).toEqual(first);
  expect(await simulate("8")).not.toEqual(first);
});
