import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { GetDeploymentCommand } from "@aws-sdk/client-greengrassv2";
import { paginateListJobExecutionsForJob, type JobExecutionSummaryForJob } from "@aws-sdk/client-iot";
import { componentNames } from "@coalmine/contract";
import { Closing } from "@coalmine/runtime";
import { afterEach, expect, inject, test } from "vitest";
import { promote, rollback } from "../api/decide.ts";
import { ownRelease } from "../cli/simulate/own-release.ts";
import { places } from "../cli/system/state.ts";
import { readEntry } from "../pipeline/controller/audit.ts";
import { runningRevision } from "../pipeline/controller/fleet.ts";
import { readRollout } from "../pipeline/controller/folded.ts";
import { eValue } from "../pipeline/judge/guard.ts";
import type { Rollout } from "../pipeline/rollout/state.ts";
import { startWatchedRollouts, type SeenDevice, type WatchedRollouts } from "./driven-rollouts.ts";

/** What follows a HALT, on hosted devices that run the components' own bundles, by the real controller. */
const root = dirname(import.meta.dirname);
const isLong = process.env["COALMINE_LONG"] === "1";
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const STEP_MS = 15_000;
const BAD = "9.0.0";
const { inference } = componentNames;

let closing = new Closing();
const built = inject("built");
afterEach(async () => {
  await closing.close();
  closing = new Closing();
});

const policyOf = (canaryDevices: number): string => `
version: 1
metrics:
  - { name: heartbeats, of: heartbeats, direction: up, role: halting, limit: { above: 0.9, exposureMin: 3 } }
targets:
  driven:
    judgedBy: limits
    metrics: all
    canaryDevices: ${canaryDevices}
    unjudgedDevicesMax: ${canaryDevices}
    waves: [0.5, 1]
    prePeriod: 0 s
    soak: 5 min
    horizon: 40 min
    lookEvery: 5 min
    pulseEvery: 1 min
    waveSoak: 10 min
    arrivedShareMin: 0.8
    guard: { toleratedRate: 0.01, eValueMin: 1000 }
    deadlines: { draw: 20 min, deploy: 25 min, approval: 7 d, hold: 7 d, decide: 7 d, wave: 1 h, verify: 1 h, rollback: 30 min }
`;

test.each(isLong ? [12, 1000] : [12])(
  "after a HALT in a wave of %i hosted devices the fence is up within 60 s, nobody begins the bad version after it, and all that are online are back within 15 min [rollout-5.6]",
  async (size) => {
    const it = await started(size, Math.max(3, size / 50));
    const { rollout, order, canaryCount } = await intoFirstWave(it, size);
    const wave = order.slice(canaryCount, canaryCount + Math.ceil((size - canaryCount) / 2));
    // Told, and not there to hear it: what they find when they are back must not be the bad version.
    const late = wave.slice(0, Math.ceil(wave.length / 20));
    for (const thing of late) await it.fault({ kind: "cut", thing });
    const halted = await halt(it, rollout, [...order.slice(0, canaryCount), ...wave.slice(late.length)]);
    expect(halted.fenceMs).toBeLessThanOrEqual(MINUTE_MS);
    expect(halted.fenceSeconds).toBeLessThanOrEqual(60);
    for (const group of [it.region.target.canaryGroup, it.region.target.mainGroup])
      expect((await runningRevision(it.region, group))?.components[inference]?.version).not.toBe(BAD);
    for (const thing of late) await it.fault({ kind: "restore", thing });
    const onBad = (await it.devices()).filter((device) => versionOf(device) === BAD).length;
    expect(onBad).toBeGreaterThan(0);
    const convergedMs = await untilBack(it, halted.fenceAtMs);
    const { phase } = await ended(it, rollout);
    expect(phase).toMatchObject({ phase: "done", outcome: "halted", stragglers: [] });
    const { begun, inFlight } = await badInstalls(it, rollout, halted.fenceAtMs);
    expect(begun).toEqual([]);
    expect(convergedMs).toBeLessThanOrEqual(15 * MINUTE_MS);
    if (isLong)
      console.log(
        `${size} hosted devices, ${canaryCount} of them canaries, HALT with ${halted.told} told and ${onBad} on the bad version: the fence was up ${halted.fenceMs / 1000} s of their time and ${halted.fenceSeconds.toFixed(1)} s of ours after the verdict; ${begun.length} began the bad version after it, ${inFlight.length} that had begun ended it; all were back ${convergedMs / 1000} s after it`,
      );
  },
  isLong ? 5_400_000 : 300_000,
);

test("a device that was off for 30 days, with the bad version or only told of it, is back on the good one when it returns [rollout-5.6]", async () => {
  const it = await started(3, 1);
  const { rollout, order } = await intoFirstWave(it, 3);
  const [has = "", told = "", other = ""] = order;
  for (const thing of [has, told])
    await it.fault({ kind: "power-cut", thing, seconds: (30 * DAY_MS) / 1000 });
  await rollback(it.api, { rollout, who: "ada", reason: "the alarm" });
  await settle(it);
  const { fenceAtMs } = await fenceOf(it, rollout);
  const { phase } = await ended(it, rollout);
  expect(phase).toMatchObject({
    phase: "done",
    outcome: "failed",
    stragglers: [has, told].map((thing) => ({ target: "driven", thing })),
  });
  // Running on, it would only cost time.
  await it.fault({ kind: "power-cut", thing: other, seconds: (40 * DAY_MS) / 1000 });
  await it.runUntil(fenceAtMs + 30 * DAY_MS);
  await it.runUntil(fenceAtMs + 30 * DAY_MS + 15 * MINUTE_MS);
  const back = (await it.devices()).filter(({ power }) => power);
  expect(back.map(({ thing }) => thing).toSorted()).toEqual([has, told].toSorted());
  expect(back.filter((device) => !isGood(device))).toEqual([]);
  expect((await badInstalls(it, rollout, fenceAtMs)).begun).toEqual([]);
}, 300_000);

/** A fleet that runs what this checkout builds, with a candidate that differs by a version alone. */
async function started(devices: number, canaryDevices: number): Promise<WatchedRollouts> {
  const folder = mkdtempSync(join(tmpdir(), "convergence-"));
  closing.add(folder, () => rmSync(folder, { recursive: true, force: true }));
  const policy = policyOf(canaryDevices);
  const it = await startWatchedRollouts(closing, places(root, { COALMINE_STATE: join(folder, "base") }), {
    devices,
    policy,
    seed: "convergence",
  });
  const good = await it.publish(await ownRelease(join(folder, "good"), built), "1111111aaaaa");
  await it.publish(await ownRelease(join(folder, "bad"), built, { [inference]: BAD }), "2222222bbbbb");
  await it.install(good);
  await it.runUntil((await it.now()) + 5 * MINUTE_MS);
  expect(await away(it)).toEqual([]);
  return it;
}

async function stateOf(it: WatchedRollouts, rollout: string): Promise<Rollout> {
  const planned = (await readRollout(it.api.log, rollout))?.planned;
  if (planned === undefined) throw new Error(`${rollout} has no plan`);
  return planned.rollout;
}

/** Passes until nothing is to be done before time goes on. */
async function settle(it: WatchedRollouts): Promise<string> {
  for (let pass = 0; pass < 100; pass++) {
    const { moved, rollout } = await it.tick();
    if (!moved) return rollout ?? "";
  }
  throw new Error("the controller does not come to rest");
}

async function intoFirstWave(it: WatchedRollouts, size: number) {
  await it.push("2222222bbbbb");
  for (let step = 0; step < 60; step++) {
    const rollout = await settle(it);
    const { phase, targets } = await stateOf(it, rollout);
    if (phase.phase === "awaitingPromotion")
      await promote(it.api, { rollout, who: "ada", reason: "looks well" });
    if (phase.phase === "waves") {
      const { order, canaryCount } = targets["driven"]!;
      expect(order).toHaveLength(size);
      return { rollout, order, canaryCount };
    }
    if (phase.phase !== "awaitingPromotion") await it.runUntil((await it.now()) + MINUTE_MS);
  }
  throw new Error("no wave began");
}

/** Breaks so many updated devices that the guard halts, while others are still taking the version; tells of the fence. */
async function halt(it: WatchedRollouts, rollout: string, victims: readonly string[]) {
  const { exposed } = (await stateOf(it, rollout)).targets["driven"]!;
  let needed = 1;
  while (eValue(needed, exposed.length, 0.01) < 1000) needed++;
  for (let step = 0; step < 60; step++) {
    await it.runUntil((await it.now()) + 5000);
    const bad = (await it.devices()).filter((device) => versionOf(device) === BAD);
    const broken = bad.filter((device) => victims.includes(device.thing)).slice(0, needed + 1);
    for (const { thing } of broken) await it.fault({ kind: "kill-component", thing, component: inference });
    await settle(it);
    const { phase } = await stateOf(it, rollout);
    if (phase.phase === "rollingBack") return { ...(await fenceOf(it, rollout)), told: exposed.length };
  }
  throw new Error("the guard did not halt");
}

/** When every group that could hand out the bad version had a newer revision, on the devices' clock and on ours. */
async function fenceOf(it: WatchedRollouts, rollout: string) {
  const told = (await it.api.log.entries(rollout)).flatMap((stored) => {
    const { atMs, record } = readEntry(stored);
    return record.kind === "told"
      ? record.evidence.map((evidence) => ({ evidence, atMs, nowMs: record.now["driven"] ?? 0 }))
      : [];
  });
  const verdict = told.find(
    ({ evidence }) =>
      evidence.kind === "rollbackRequested" || ("verdict" in evidence && evidence.verdict === "HALT"),
  );
  const fence = told.findLast(
    ({ evidence }) => evidence.kind === "deploymentCreated" && evidence.key.includes("/lastGood/"),
  );
  if (verdict === undefined || fence === undefined) throw new Error("there is no HALT, or no fence");
  return {
    fenceAtMs: fence.nowMs,
    fenceMs: fence.nowMs - verdict.nowMs,
    fenceSeconds: (fence.atMs - verdict.atMs) / 1000,
  };
}

/** Devices that do not run the good version though they are online; bad lines are a part of the reference load. */
async function away(it: WatchedRollouts): Promise<SeenDevice[]> {
  return (await it.devices()).filter((device) => device.power && device.online && !isGood(device));
}

/** How long after the fence all devices that are online run the good version. */
async function untilBack(it: WatchedRollouts, fenceAtMs: number): Promise<number> {
  for (;;) {
    const now = await it.now();
    const left = await away(it);
    if (left.length === 0) return now - fenceAtMs;
    if (now > fenceAtMs + 20 * MINUTE_MS)
      throw new Error(`not back after 20 min: ${JSON.stringify(left.slice(0, 3))}`);
    await it.runUntil(now + STEP_MS);
    await settle(it);
  }
}

async function ended(it: WatchedRollouts, rollout: string): Promise<Rollout> {
  for (let step = 0; step < 60; step++) {
    await settle(it);
    const state = await stateOf(it, rollout);
    if (state.phase.phase === "done") return state;
    await it.runUntil((await it.now()) + MINUTE_MS);
  }
  throw new Error("the rollout does not end");
}

/** Devices that began the bad version after that time, and those that had begun before and ended it after. */
async function badInstalls(it: WatchedRollouts, rollout: string, sinceMs: number) {
  const { iot, greengrass } = it.region;
  const found: JobExecutionSummaryForJob[] = [];
  for (const stored of await it.api.log.entries(rollout)) {
    const { record } = readEntry(stored);
    for (const one of record.kind === "told" ? record.evidence : []) {
      if (one.kind !== "deploymentCreated" || !one.key.includes("/candidate/")) continue;
      const { deploymentId } = one;
      const { iotJobId: jobId = "" } = await greengrass.send(new GetDeploymentCommand({ deploymentId }));
      for await (const { executionSummaries = [] } of paginateListJobExecutionsForJob(
        { client: iot },
        { jobId },
      ))
        found.push(...executionSummaries);
    }
  }
  const thingOf = ({ thingArn = "" }: JobExecutionSummaryForJob) => thingArn.split("/").at(-1) ?? "";
  const at = (time: Date | undefined) => time?.getTime() ?? -Infinity;
  const startedAt = (one: JobExecutionSummaryForJob) => at(one.jobExecutionSummary?.startedAt);
  return {
    begun: found.filter((one) => startedAt(one) > sinceMs).map(thingOf),
    inFlight: found
      .filter(
        (one) =>
          startedAt(one) > 0 &&
          startedAt(one) <= sinceMs &&
          one.jobExecutionSummary?.status === "SUCCEEDED" &&
          at(one.jobExecutionSummary.lastUpdatedAt) > sinceMs,
      )
      .map(thingOf),
  };
}

function versionOf({ components }: SeenDevice): string | undefined {
  return components.find(({ name }) => name === inference)?.version;
}

function isGood(device: SeenDevice): boolean {
  const found = device.components.find(({ name }) => name === inference);
  return found !== undefined && found.version !== BAD && found.state === "RUNNING";
}
