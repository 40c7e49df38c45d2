import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { componentNames } from "@coalmine/contract";
import { Closing, SeededRandom } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { play, type Rig, startRig } from "../../api/rig.ts";
import { shortPolicy } from "../../api/scripted-fleet.ts";
import { lookKey, verdictKey } from "../../pipeline/controller/kept-bundle.ts";
import { planRollout } from "../../pipeline/controller/plan-rollout.ts";
import { readRollout } from "../../pipeline/controller/folded.ts";
import { ROLLOUTS_TABLE } from "../../pipeline/controller/rollout-log.ts";
import { Bundle, Look } from "../../pipeline/judge/bundle.ts";
import { durationText } from "../../pipeline/judge/verdict.ts";
import { ReleaseManifest } from "../../pipeline/release.ts";
import { operator } from "../../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "../../test/rig-cloud.ts";
import { type Ran, runCommand } from "../command.fixture.ts";
import { addRolloutCommands } from "./commands.ts";
import { places, writeRunning } from "../system/state.ts";
import { addJudgeCommands } from "../judge/commands.ts";

/** One rollout, halted by what its canary's windows show; every test asks what it left behind. */
const MINUTE_MS = 60_000;
const closing = new Closing();
const folder = mkdtempSync(join(tmpdir(), "kept-"));
const at = places(folder, {});
let rig: Rig;
let rollout: string;
let policy: string;
/** Of the look that halted it: its number from 0, and when it was. */
let last: { readonly index: number; readonly elapsedMs: number; readonly text: string };

beforeAll(async () => {
  process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
  process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
  const random = new SeededRandom("windows");
  const failed = (version: string) => (random.next() < (version === "1.0.1" ? 0.5 : 0.16) ? 1 : 0);
  policy = shortPolicy
    .replace("    limit: { above: 0.2, exposureMin: 20 }\n", "")
    .replace("metrics: [heartbeats, failed windows]", "metrics: [heartbeats]")
    .replace("negligible: 0.1\n", "negligible: 0.01\n")
    .replace("canaryDevices: 3", 'canaryDevices: 4\n    windows: [{ from: "01:00", to: "23:00", zone: UTC }]')
    .replace("unjudgedDevicesMax: 3", "unjudgedDevicesMax: 4")
    .replace("draws: 199", "draws: 1999")
    .replace("alpha: 0.05", "alpha: 0.02");
  rig = await startRig(
    (...cloud) => startCloud(closing, ...cloud),
    closing,
    { home: 2, driven: 12 },
    { failed },
    policy,
  );
  await rig.push("3333333ccccc", "1.0.1");
  const controller = rig.controller();
  rollout = await play(rig, () => controller.tick());
  const looks = (await readRollout(rig.api.log, rollout))?.looks["driven"] ?? [];
  expect(looks.map(({ verdict }) => verdict)).toEqual([...looks.slice(1).map(() => "WAIT"), "HALT"]);
  expect(looks.length).toBeGreaterThan(1);
  const elapsedMs = looks.at(-1)?.elapsedMs ?? 0;
  last = { index: looks.length - 1, elapsedMs, text: durationText(elapsedMs) };
  mkdirSync(at.state, { recursive: true });
  writeRunning(at, {
    pid: process.pid,
    isUp: true,
    targets: [...rig.api.targets],
    repository: at.repository,
    accessKeyId: operator.accessKeyId,
    secretAccessKey: operator.secretAccessKey,
    controlTokens: { driven: "token" },
  });
});
afterAll(async () => {
  await closing.close();
  rmSync(folder, { recursive: true, force: true });
});

const judge = (...words: string[]): Promise<Ran> =>
  runCommand((program) => addJudgeCommands(program, at), "judge", ...words);

test("draw, p and every verdict are computed again from what the cloud kept, and fit byte for byte [judge-8.2]", async () => {
  const verified = await judge("verify", rollout, "--target", "driven");
  expect(verified).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      new RegExp(`^driven: the draw and all ${last.index + 1} verdicts of .* byte for byte`),
    ),
  });
  const all = JSON.parse((await judge("verify", rollout, "--json")).out);
  expect(all).toMatchObject({
    rollout,
    ok: true,
    targets: [
      { target: "home", faults: [] },
      { target: "driven", looks: last.index + 1 },
    ],
  });
  expect(await judge("verify", rollout, "--target", "elsewhere")).toMatchObject({
    err: expect.stringMatching(/nothing was judged in elsewhere; .* has looks of home, driven/),
  });
});

/** Says what `judge verify` finds while something that was kept is changed, and puts it back. */
async function whileChanged(key: string, content: unknown): Promise<Ran> {
  const { kept } = rig.api;
  const original = await kept.read(key, z.json());
  if (content === undefined)
    await rig.home.region.s3.send(
      new DeleteObjectCommand({ Bucket: rig.home.region.target.artifactBucket, Key: key }),
    );
  else await kept.write(key, content);
  const found = await judge("verify", rollout, "--target", "driven");
  await kept.write(key, original);
  return found;
}

test("whatever of it was changed is found and named [judge-8.2]", async () => {
  const place = `rollouts/${rollout}/driven`;
  const latest = lookKey(place, last.elapsedMs);
  const look = await rig.api.kept.read(latest, Look);
  const counts = look?.values["failed windows"]?.map((pair, device) =>
    device === 5 && pair !== null ? [pair[0] + 1, pair[1]] : pair,
  );
  const oneCount = await whileChanged(latest, {
    ...look,
    values: { ...look?.values, "failed windows": counts },
  });
  expect(oneCount).toMatchObject({
    code: 1,
    out: expect.stringMatching(
      new RegExp(
        `the look after ${last.text} was changed after it was judged: .* the audit log has [0-9a-f]{64}`,
      ),
    ),
  });
  expect(await whileChanged(`${place}/before.json`, {})).toMatchObject({
    code: 1,
    out: expect.stringContaining("the look after 10 min, or the time before the assignment, was changed"),
  });
  expect(await whileChanged(latest, undefined)).toMatchObject({
    code: 1,
    out: expect.stringContaining(`${latest} is gone from the bucket`),
  });
  expect(await whileChanged(latest, { nothing: "happened" })).toMatchObject({
    code: 1,
    out: expect.stringContaining(`${latest} is not what was written there`),
  });
  const verdict = verdictKey(rollout, "driven", last.elapsedMs);
  const told = await rig.api.kept.read(verdict, z.looseObject({}));
  expect(await whileChanged(verdict, { ...told, smallestP: 0.5 })).toMatchObject({
    code: 1,
    out: expect.stringContaining(
      `the look after ${last.text}: smallestP is 0.5 in the verdict, and the bundle gives ${String(told?.["smallestP"])}`,
    ),
  });
  expect(await whileChanged(verdict, undefined)).toMatchObject({
    code: 1,
    out: expect.stringContaining("its verdict is gone from the bucket; the audit log says HALT"),
  });
  expect(await judge("verify", rollout)).toMatchObject({ code: 0 });
});

test("a verdict is verified offline from two files, and what was changed in either is named [judge-8.2]", async () => {
  expect(await judge("export", rollout, "--to", folder)).toMatchObject({
    code: 2,
    err: expect.stringContaining("was judged in home and driven; name one"),
  });
  const to = join(folder, "exported");
  expect(await judge("export", rollout, "--target", "driven", "--to", to)).toMatchObject({ code: 0 });
  const files = [join(to, "verdict.json"), join(to, "bundle.json")] as const;
  expect(await judge("verify", ...files)).toMatchObject({
    code: 0,
    out: expect.stringContaining("byte for byte"),
  });
  // What the cloud kept and what this machine computes are the same line.
  expect((await judge("run", files[1], "--json")).out).toBe(readFileSync(files[0], "utf8").trim());

  const bundle = Bundle.parse(JSON.parse(readFileSync(files[1], "utf8")));
  const changed = join(to, "changed.json");
  const withBundle = (other: object): Promise<Ran> => {
    writeFileSync(changed, JSON.stringify({ ...bundle, ...other }));
    return judge("verify", files[0], changed);
  };
  const looks = structuredClone(bundle.looks);
  const pair = looks[last.index]?.values["failed windows"]?.[3];
  if (pair !== null && pair !== undefined) pair[0] += 1;
  expect(await withBundle({ looks })).toMatchObject({
    code: 1,
    out: expect.stringContaining(
      `the bundle was changed after it was judged, in look ${last.index} and "failed windows": its SHA-256`,
    ),
  });
  const reseeded = await withBundle({ draw: { ...bundle.draw, seed: "a better one" } });
  expect(reseeded.out).toMatch(/was changed after it was judged, in the draw:/);
  expect(reseeded.out).toMatch(
    /the canary is not the one that the seed "a better one" draws: it holds .* that are not drawn/,
  );
  const [, ...rest] = bundle.draw.canary;
  const baseline = bundle.devices.find(({ thing }) => !bundle.draw.canary.includes(thing))?.thing ?? "";
  const swapped = await withBundle({
    draw: { ...bundle.draw, canary: [baseline, ...rest] },
    looks: bundle.looks.map((look) => ({ ...look, updated: rest })),
  });
  expect(swapped.out).toContain(
    `it holds ${baseline} that are not drawn, and lacks ${bundle.draw.canary[0]}`,
  );
  expect(await withBundle({ policy: { ...bundle.policy, alpha: 0.2 } })).toMatchObject({
    out: expect.stringContaining("in the policy:"),
  });

  const verdict = readFileSync(files[0], "utf8");
  const withVerdict = (from: RegExp, to: string): Promise<Ran> => {
    expect(verdict).toMatch(from);
    writeFileSync(changed, verdict.replace(from, to));
    return judge("verify", changed, files[1]);
  };
  expect((await withVerdict(/"verdict":"HALT"/, '"verdict":"PROMOTE"')).out).toContain(
    'verdict is "PROMOTE" in the verdict, and the bundle gives "HALT"',
  );
  expect((await withVerdict(/("metric":"failed windows","halting":true,"p":)[\d.]+/, "$10.04")).out).toMatch(
    /metrics\[2\]\.p is 0\.04 in the verdict, and the bundle gives 0\.\d+/,
  );
  expect((await withVerdict(/"sha256":"[0-9a-f]{4}/, '"sha256":"0000')).out).toMatch(
    /as the bundle's SHA-256, which is/,
  );
  expect((await withVerdict(/("advisory":false),("look":\d+)/, "$2,$1")).out).toContain("in another order");
  expect(await withVerdict(/^\{/, "[")).toMatchObject({
    code: 2,
    err: expect.stringContaining("is not JSON"),
  });
  expect(await withVerdict(/"sha256"/, '"sha"')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/bundle\.sha256 is missing/),
  });
});

test("a broken audit log makes every verdict doubtful, and says which entry [judge-8.2]", async () => {
  const update = (entry: string) =>
    rig.home.region.dynamodb.send(
      new UpdateItemCommand({
        TableName: ROLLOUTS_TABLE,
        Key: { rollout: { S: rollout }, sequence: { N: "3" } },
        UpdateExpression: "SET #entry = :entry",
        ExpressionAttributeNames: { "#entry": "entry" },
        ExpressionAttributeValues: { ":entry": { S: entry } },
      }),
    );
  const original = (await rig.api.log.entries(rollout))[3]?.text ?? "";
  await update(original.replace('"atMs":1', '"atMs":2'));
  expect(await judge("verify", rollout, "--target", "driven")).toMatchObject({
    code: 1,
    out: expect.stringContaining("the audit log does not hold: entry 3 was changed after it was written"),
  });
  await update(original);
  expect(await judge("verify", rollout)).toMatchObject({ code: 0 });
});

test("another policy is tried on the kept looks, beside what happened [judge-8.3]", async () => {
  const file = join(folder, "other.yaml");
  const replay = (text: string, ...words: string[]): Promise<Ran> => {
    writeFileSync(file, text);
    return judge("replay", rollout, "--policy", file, "--target", "driven", ...words);
  };
  const same = JSON.parse((await replay(policy, "--json")).out);
  const [driven] = same.targets;
  expect(driven).toMatchObject({ target: "driven", cannot: [] });
  for (const { did, would } of driven.looks)
    expect(did).toEqual({ verdict: would.verdict, because: would.because });

  // By another name, less sure and sooner; and one that nobody read.
  const other = policy
    .replace("- name: failed windows", "- name: spoilt")
    .replace("[heartbeats, failed windows]", "[heartbeats, spoilt]")
    .replace("alpha: 0.02", "alpha: 0.3")
    .replace("canaryDevices: 4", "canaryDevices: 3")
    .replace(
      "metrics:\n",
      "metrics:\n  - { name: refused, of: { component: streamUploader, counter: refused, per: received }, direction: up, autonomy: halt }\n",
    );
  const told = await replay(other);
  expect(told.code).toBe(0);
  expect(told.out).toMatch(/10 min +WAIT +HALT: spoilt is \d\.\d+× the baseline/);
  expect(told.out).toMatch(new RegExp(`${last.text} +HALT +HALT\n`));
  expect(told.out).toContain(
    'cannot be replayed: "refused" is left out: streamUploader refused per received was not read at the time',
  );
  expect(told.out).toContain("cannot be replayed: 4 canary devices were drawn");
  // Nothing that matters: the looks end before this policy would have decided.
  const lenient = await replay(policy.replaceAll("minEffect: 1.5", "minEffect: 50"));
  expect(lenient.out).toMatch(new RegExp(`${last.text} +HALT +WAIT\n`));
  expect(lenient.out).toContain(
    `cannot be replayed: looks end after ${last.text}; what would have come until the horizon of 1.5 h nobody knows`,
  );

  const unread = policy
    .replace(
      /metrics:\n[^]*targets:/,
      `metrics:
  - { name: refused, of: { component: streamUploader, counter: refused, per: received }, direction: up, autonomy: halt, margin: 2, limit: { above: 1 } }
targets:`,
    )
    .replace("metrics: [heartbeats]", "metrics: [refused]");
  expect(await replay(unread)).toMatchObject({
    code: 2,
    err: expect.stringMatching(
      /nothing that the policy compares in driven was read at the time; read were "heartbeats" \(heartbeats\)/,
    ),
  });
  expect(await replay("version: 2")).toMatchObject({
    code: 2,
    err: expect.stringContaining("version is 2, and must be 1"),
  });
});

test("a policy that asks for power is planned by what the fleet has shown, or refused with the figures [judge-6.5]", async () => {
  const regions = rig.options.regions.filter(({ target }) => target.name === "driven");
  const release = ReleaseManifest.parse({
    version: 1,
    commit: "4444444ddddd",
    components: { [componentNames.inference]: "1.0.1", [componentNames.sensorReader]: "1.0.0" },
  });
  const planned = (asked: string, most = 6) =>
    planRollout({
      rollout: "sized",
      pipeline: "p",
      executionId: "e",
      release,
      knownGoodBy: async () => undefined,
      policy: policy
        .replace("canaryDevices: 4", `canaryDevices: ${asked}`)
        .replace("unjudgedDevicesMax: 4", `unjudgedDevicesMax: ${most}`),
      regions,
      seedOf: () => Promise.resolve("s"),
      times: async () => ({ driven: await rig.time.now(regions[0]!.target) }),
    });
  const record = await planned("{ power: 0.6, ratio: 10, metrics: [failed windows] }");
  if (record.kind !== "planned") throw new Error(JSON.stringify(record));
  const [target] = record.plan.targets;
  expect(target?.sizedBecause).toMatch(
    new RegExp(
      `^${target?.policy.canaryDevices} of 12 devices find 10× in "failed windows".* tries on the fleet's own past`,
    ),
  );
  expect(await planned("{ power: 0.99, ratio: 1.6, metrics: [failed windows] }", 4)).toMatchObject({
    kind: "refused",
    because: expect.stringMatching(/^driven: 4 of 12 devices find 1\.6× .* and 99 % are asked for/),
  });
});

test("rollout plan says what this fleet's canary could find by a policy, and exits 2 where it is refused", async () => {
  const plan = (text: string, ...words: string[]): Promise<Ran> => {
    const file = join(folder, "tried.yaml");
    writeFileSync(file, text);
    return runCommand(
      (program) => addRolloutCommands(program, at),
      "rollout",
      "plan",
      "--policy",
      file,
      ...words,
    );
  };
  const sized = policy.replace(
    "canaryDevices: 4",
    "canaryDevices: { power: 0.6, ratio: 10, metrics: [failed windows] }",
  );
  const told = await plan(sized, "--hours", "2");
  expect(told.out).toMatch(
    /of 12 devices of driven are drawn \(\d of 12 devices find 10× in "failed windows".* tries on the fleet's own past/,
  );
  expect(told).toMatchObject({ code: 0, err: "" });
  const strict = await plan(
    policy.replace("draws: 1999", "draws: 1999\n    unchangedPromotedMin: 0.99"),
    "--hours",
    "2",
    "--json",
  );
  expect(strict.code).toBe(2);
  expect(JSON.parse(strict.out).refusals.join("\n")).toMatch(
    /a margin of \d.* is below what the fleet can show|is promoted in .* of rollouts over all metrics, not 99 %/,
  );
  expect(await plan("metrics: 1")).toMatchObject({
    code: 2,
    err: expect.stringContaining("metrics is 1, and must be a list"),
  });
});

test("the canary was given the release when its maintenance window had opened, and not before [rollout-9.1]", async () => {
  const folded = await readRollout(rig.api.log, rollout);
  const driven = folded?.planned?.rollout.targets["driven"];
  const begunMs = folded?.planned?.record.startedAt["driven"];
  const opensMs = Date.parse("2031-01-01T01:00:00Z");
  expect(begunMs).toBeLessThan(opensMs);
  expect(driven?.assignedAtMs).toBeGreaterThanOrEqual(opensMs);
  expect(driven?.assignedAtMs).toBeLessThan(opensMs + 10 * MINUTE_MS);
});
