import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { componentNames } from "@coalmine/contract";
import { SeededRandom } from "@coalmine/runtime";
import { afterAll, expect, test, vi } from "vitest";
import { adviceOf } from "../../api/advice.ts";
import { planRollout } from "../../pipeline/controller/plan-rollout.ts";
import { ROLLOUTS_TABLE, type RolloutLog } from "../../pipeline/controller/rollout-log.ts";
import { ReleaseManifest } from "../../pipeline/release.ts";
import { haltedRollout } from "../../test/halted-rollout.ts";
import { answers } from "../answers/answers.ts";
import { addAuditCommands } from "../audit/commands.ts";
import { type Ran, runCommand } from "../command.fixture.ts";
import { addJudgeCommands } from "../judge/commands.ts";
import { exitCodes } from "../exit-codes.ts";
import { addRolloutCommands } from "./commands.ts";
import { addQuestions } from "./questions.ts";
import { watch } from "./watch.ts";

const MINUTE_MS = 60_000;
/** One rollout, halted by what its canary's windows show; every test asks what it left behind. */
const halted = await haltedRollout();
const { rig, folder, at, policy, rollout, folded, last } = halted;
afterAll(() => halted.close());

const judge = (...words: string[]): Promise<Ran> =>
  runCommand((program) => addJudgeCommands(program, at), "judge", ...words);

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
      (program) => addQuestions(program, addRolloutCommands(program, at), at),
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
  const driven = folded.planned?.rollout.targets["driven"];
  const begunMs = folded.planned?.record.startedAt["driven"];
  const opensMs = Date.parse("2031-01-01T01:00:00Z");
  expect(begunMs).toBeLessThan(opensMs);
  expect(driven?.assignedAtMs).toBeGreaterThanOrEqual(opensMs);
  expect(driven?.assignedAtMs).toBeLessThan(opensMs + 10 * MINUTE_MS);
});

const run = (...words: string[]): Promise<Ran> =>
  runCommand(
    (program) => {
      addQuestions(program, addRolloutCommands(program, at), at);
      addAuditCommands(program, at);
    },
    ...words,
  );

test("what is read of a rollout is what its schema says", async () => {
  const policyFile = join(folder, "policy.yaml");
  writeFileSync(policyFile, policy);
  for (const [name, words] of [
    ["rollout-list", ["rollout", "list"]],
    ["rollout-show", ["rollout", "show", rollout]],
    ["why", ["why", rollout]],
    ["audit-list", ["audit", "list"]],
    ["audit-verify", ["audit", "verify", rollout]],
    ["rollout-plan", ["rollout", "plan", "--policy", policyFile]],
  ] as const) {
    const { out, err } = await run(...words, "--json");
    expect(err).toBe("");
    answers[name].parse(JSON.parse(out));
  }
});

test("an exported log is verified by whoever has SHA-256, without this program", async () => {
  const file = join(folder, "audit.json");
  expect((await run("audit", "export", rollout, "--to", file)).code).toBe(0);
  const { entries } = answers["audit-export"].parse(JSON.parse(readFileSync(file, "utf8")));
  let head = "0".repeat(64);
  for (const { text, sha256 } of entries) {
    expect(createHash("sha256").update(text).digest("hex")).toBe(sha256);
    expect(JSON.parse(text).previous).toBe(head);
    head = sha256;
  }
  expect((await run("audit", "verify", rollout, "--noted", head)).code).toBe(0);
});

test("a watched rollout tells what changes, once each, until its end, and exits with it", async () => {
  const lines = await run("rollout", "watch", rollout, "--json");
  expect(lines.code).toBe(exitCodes.halted);
  expect(answers["rollout-watch"].parse(JSON.parse(lines.out))).toMatchObject({
    phase: "done",
    outcome: "halted",
  });

  // The same log as it grew: two more entries at each look.
  const { log } = rig.api;
  const all = (await log.entries(rollout)).length;
  let shown = 1;
  const growing: Pick<RolloutLog, "entries" | "list"> = {
    entries: async (id, from) => (await log.entries(id)).slice(from, shown),
    list: (limit) => log.list(limit),
  };
  const told: string[][] = [];
  const seen: string[] = [];
  const asking = {
    clock: { sleep: async () => void (shown += 2), monotonicMs: () => 0 },
    random: new SeededRandom("watch"),
    signal: new AbortController().signal,
    say: () => undefined,
  };
  const outcome = await watch({ ...rig.api, log: growing as RolloutLog }, rollout, {
    everyMs: 1,
    timeoutMs: undefined,
    asking,
    tell: ({ phase }, sentences) => {
      seen.push(phase);
      told.push([...sentences]);
    },
  });
  expect(outcome).toBe("halted");
  expect(shown).toBeGreaterThanOrEqual(all);
  expect(new Set(seen).size).toBeGreaterThan(3);
  expect(told.flat().some((sentence) => sentence.includes("HALT"))).toBe(true);
  for (const [index, sentences] of told.entries())
    for (const sentence of sentences) expect(told[index - 1] ?? []).not.toContain(sentence);

  shown = 1;
  const late = watch({ ...rig.api, log: growing as RolloutLog }, rollout, {
    everyMs: 1,
    timeoutMs: 0,
    asking,
    tell: () => undefined,
  });
  await expect(late).rejects.toMatchObject({ code: "ERR_WATCH_TIMED_OUT" });
  expect(exitCodes.of(await late.catch((failure: unknown) => failure))).toBe(exitCodes.timedOut);
});

test("audit verify says that the log is whole, with its last hash, or which entry was changed", async () => {
  const audit = (...words: string[]): Promise<Ran> =>
    runCommand((program) => addAuditCommands(program, at), "audit", "verify", rollout, ...words);
  const entries = await rig.api.log.entries(rollout);
  const head = entries.at(-1)?.sha256 ?? "";
  expect(await audit()).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      new RegExp(`^all ${entries.length} entries of ${rollout} are as they were written.*\n${head}\n`),
    ),
  });
  expect(await audit("--noted", entries[2]?.sha256 ?? "")).toMatchObject({ code: 0 });
  expect(await audit("--noted", "0123".repeat(16))).toMatchObject({
    code: 1,
    out: expect.stringContaining("does not hold: no entry has the hash 012301230123…"),
  });
  expect(await audit("--noted", "12")).toMatchObject({
    code: 2,
    err: expect.stringContaining("64 hexadecimal digits"),
  });
  await changeEntry(4, (text) => text.replace('"now"', '"then"'));
  const broken = await audit();
  expect(broken).toMatchObject({
    code: 1,
    out: expect.stringContaining(
      `the audit log of ${rollout} does not hold: entry 4 was changed after it was written`,
    ),
  });
  expect(JSON.parse((await audit("--json")).out)).toMatchObject({ ok: false, sequence: 4, rollout });
  await changeEntry(4, () => entries[4]?.text ?? "");
  expect(await audit()).toMatchObject({ code: 0 });
});

async function changeEntry(sequence: number, change: (text: string) => string): Promise<void> {
  const text = (await rig.api.log.entries(rollout))[sequence]?.text ?? "";
  await rig.home.region.dynamodb.send(
    new UpdateItemCommand({
      TableName: ROLLOUTS_TABLE,
      Key: { rollout: { S: rollout }, sequence: { N: String(sequence) } },
      UpdateExpression: "SET #entry = :entry",
      ExpressionAttributeNames: { "#entry": "entry" },
      ExpressionAttributeValues: { ":entry": { S: change(text) } },
    }),
  );
}

test("why tells where a rollout stands, the verdict with its evidence, and what to do; and what a word means", async () => {
  const why = (...words: string[]): Promise<Ran> =>
    runCommand((program) => addQuestions(program, addRolloutCommands(program, at), at), "why", ...words);
  const { code, out } = await why(rollout);
  expect(code).toBe(0);
  expect(out).toMatch(
    new RegExp(`^${rollout} is done, halted: driven: failed windows is \\d\\.\\d+× the baseline`),
  );
  expect(out).toMatch(
    /driven, HALT after \d+ min: failed windows is .* So it is rolled back without anybody's doing\./,
  );
  expect(out).toMatch(
    /The release was taken back everywhere; look at the evidence with `coalmine judge export`, .*push again\.$/,
  );
  expect((await why("COMPONENT_BROKEN")).out).toMatch(
    /^COMPONENT_BROKEN: a component failed three times in a row .*\.$/,
  );
  expect(JSON.parse((await why("inconclusive", "--json")).out)).toEqual([
    expect.stringMatching(/^inconclusive: .* person.*/),
  ]);
  expect(await why("0000000")).toMatchObject({
    code: 7,
    err: expect.stringContaining('there is no rollout "0000000"'),
  });
});

test("a metric that may only advise says what it would have halted for; one that is observed says nothing", async () => {
  const asked = (autonomy: string) => {
    const { planned } = folded;
    if (planned === undefined) throw new Error("it was planned");
    const text = policy.replace(/(name: failed windows\n(?:.*\n){2}.*autonomy: )halt/, `$1${autonomy}`);
    expect(text).not.toBe(policy);
    const without =
      autonomy === "observe"
        ? text.replace(/(autonomy: observe\n.*minEffect: 1\.5\n) *margin: 2\n/, "$1")
        : text;
    return adviceOf(rig.api, {
      ...folded,
      planned: { ...planned, record: { ...planned.record, policy: without } },
    });
  };
  expect(await asked("advise")).toEqual([
    expect.stringMatching(
      /^driven advises: "failed windows" is \d\.\d+× the baseline \(p = 0\.\d+\), and may not halt; weigh it/,
    ),
  ]);
  expect(await asked("observe")).toEqual([]);
  expect(await adviceOf(rig.api, folded)).toEqual([]);
});

test("Ctrl-C ends a watch with 130, and says that the rollout goes on and how to follow it again", async () => {
  await rig.push("4444444ddddd", "1.0.2");
  const controller = rig.controller();
  const newest = async () => (await rig.api.log.list(1))[0]?.rollout ?? "";
  for (let ticks = 0; (await newest()) === rollout; ticks++) {
    if (ticks > 20) throw new Error("the push began no rollout");
    await controller.tick();
  }
  const watching = run("rollout", "watch");
  // Once it has told where the rollout is, it waits for what comes.
  await vi.waitFor(() => expect(console.log).toHaveBeenCalled());
  process.emit("SIGINT");
  expect(await watching).toMatchObject({
    code: exitCodes.interrupted,
    err: `the rollout goes on; \`coalmine rollout watch ${await newest()}\` follows it again`,
  });
});
