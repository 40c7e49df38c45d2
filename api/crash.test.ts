import { Closing, SeededRandom } from "@coalmine/runtime";
import { afterEach, expect, test } from "vitest";
import { Controller } from "../pipeline/controller/controller.ts";
import { foldEntry, type FoldedRollout } from "../pipeline/controller/folded.ts";
import { openRegion, type Region } from "../pipeline/controller/region.ts";
import type { Target } from "../pipeline/target.ts";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "../test/rig-cloud.ts";
import { auditVerify, describeRollout } from "./index.ts";
import { ACCOUNT, play, startRig, traces, type Rig } from "./rig.ts";
import type { Behaviour } from "./scripted-fleet.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
const isLong = process.env["COALMINE_LONG"] === "1";
let closing = new Closing();
afterEach(async () => {
  await closing.close();
  closing = new Closing();
});

const rigOf = (sizes: { home: number }, behaviour?: Behaviour) =>
  startRig((name, region) => startCloud(closing, name, region), closing, sizes, behaviour);

test("a controller that dies after any of its writes leaves the same behind as one that lives, and so do two at once", async () => {
  const whole = await rigOf({ home: 4 });
  await whole.push("4444444ddddd", "1.0.1");
  const only = whole.controller();
  await play(whole, () => only.tick());
  const expected = await traces(whole);
  expect(expected).toMatchObject({ versions: { "1.0.1": 4 } });

  const mortal = await rigOf({ home: 4 });
  await mortal.push("4444444ddddd", "1.0.1");
  const random = new SeededRandom("deaths");
  let deaths = 0;
  let current: Controller | undefined;
  const rollout = await play(mortal, () => {
    let left = 1 + random.below(4);
    const region = (): Region =>
      watchedRegion(mortal.home.region.target, () => {
        if (--left > 0) return;
        deaths++;
        current = undefined;
        throw new Error("crash");
      });
    current ??= new Controller({ ...mortal.options, regions: [region()] });
    return current.tick().catch(crashed);
  });
  expect(deaths).toBeGreaterThan(15);
  expect(await traces(mortal)).toEqual(expected);
  expect(await describeRollout(mortal.api, { rollout })).toMatchObject({
    phase: "done",
    outcome: "promoted",
  });
  expect(await auditVerify(mortal.api, { rollout })).toMatchObject({ ok: true });

  const pair = await rigOf({ home: 4 });
  await pair.push("4444444ddddd", "1.0.1");
  const [first, second] = [pair.controller(), pair.controller()];
  const both = await play(pair, async () => (await Promise.all([first.tick(), second.tick()]))[1]);
  expect(await traces(pair)).toEqual(expected);
  expect(await auditVerify(pair.api, { rollout: both })).toMatchObject({ ok: true });
  const folded = await pair.api.log.entries(both);
  const keys = folded.flatMap(({ text }) => [
    ...text.matchAll(/"kind":"deploymentCreated","key":"([^"]+)"/g),
  ]);
  expect(keys).toHaveLength(new Set(keys.map(([, key]) => key)).size);
}, 180_000);

/** Of the writes of a whole rollout, every one of so many is the last of a controller. */
const STRIDE = isLong ? 1 : 9;

test.each([
  ["is promoted", {}, { "1.0.1": 4 }],
  ["is halted", { silent: (version: string) => version === "1.0.1" }, { "1.0.0": 4 }],
] as const)(
  "a controller may die at every single write of a rollout that %s, and the next one leaves behind what one that lives does [rollout-1.1] [rollout-1.2]",
  async (_, behaviour, versions) => {
    const whole = await rigOf({ home: 4 }, behaviour);
    await whole.push("4444444ddddd", "1.0.1");
    let writes = 0;
    const counting = new Controller({
      ...whole.options,
      regions: [watchedRegion(whole.home.region.target, () => void writes++)],
    });
    const rollout = await play(whole, () => counting.tick());
    const expected = await traces(whole);
    expect(expected).toMatchObject({ versions });
    expect(writes).toBeGreaterThan(20);
    await resumesAtEveryEvent(whole, rollout);
    for (let last = 1; last <= writes; last += STRIDE) {
      const rig = await rigOf({ home: 4 }, behaviour);
      await rig.push("4444444ddddd", "1.0.1");
      await playDying(rig, last);
      expect(await traces(rig), `died at write ${last} of ${writes}`).toEqual(expected);
      // The next one has room.
      await closing.close();
      closing = new Closing();
    }
    if (isLong)
      console.log(`died at each of ${writes} writes of a rollout that ends ${JSON.stringify(versions)}`);
  },
  isLong ? 1_800_000 : 180_000,
);

/** Plays a rollout whose first controller dies with its write of that number. */
async function playDying(rig: Rig, last: number): Promise<void> {
  let isDead = false;
  let count = 0;
  const mortal = watchedRegion(rig.home.region.target, () => {
    if (++count < last) return;
    isDead = true;
    throw new Error("crash");
  });
  const first = new Controller({ ...rig.options, regions: [mortal] });
  const second = rig.controller();
  const rollout = await play(rig, () => (isDead ? second.tick() : first.tick().catch(crashed)));
  expect(isDead).toBe(true);
  expect(await auditVerify(rig.api, { rollout })).toMatchObject({ ok: true });
}

/** What was kept up to any event, and read again, makes with the rest of the events the same rollout. */
async function resumesAtEveryEvent(rig: Rig, rollout: string): Promise<void> {
  const entries = await rig.api.log.entries(rollout);
  const fold = (from: FoldedRollout | undefined, until: number): FoldedRollout | undefined =>
    entries
      .slice(from === undefined ? 0 : from.last.sequence + 1, until)
      .reduce<FoldedRollout | undefined>(foldEntry, from);
  const end = fold(undefined, entries.length);
  for (let event = 1; event < entries.length; event++)
    expect(fold(structuredClone(fold(undefined, event)), entries.length)).toEqual(end);
}

type Next = (args: unknown) => Promise<unknown>;
interface Middlewares {
  add(middleware: (next: Next, context: { commandName?: string }) => Next, options: object): void;
}

/** Clients that tell of each write once it is carried out; where that throws they are dead, and its answer is never heard. */
function watchedRegion(target: Target, wrote: () => void): Region {
  const region = openRegion(target, ACCOUNT);
  let isDead = false;
  for (const client of [region.dynamodb, region.greengrass, region.iot, region.s3, region.codepipeline])
    (client.middlewareStack as Middlewares).add(
      (next, { commandName }) =>
        async (args) => {
          if (isDead) throw new Error("crash");
          const result = await next(args);
          if (/^(Get|List|Describe|Query|Head)/.test(commandName ?? "")) return result;
          try {
            wrote();
          } catch (death) {
            isDead = true;
            throw death;
          }
          return result;
        },
      { step: "initialize", priority: "high" },
    );
  return region;
}

function crashed(failure: unknown): undefined {
  if (failure instanceof Error && failure.message === "crash") return undefined;
  throw failure;
}
