import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { DeleteObjectCommand } from "@aws-sdk/client-s3";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import * as z from "zod";
import { lookKey, verdictKey } from "../../pipeline/controller/kept-bundle.ts";
import { ROLLOUTS_TABLE } from "../../pipeline/controller/rollout-log.ts";
import { Bundle, Look } from "../../pipeline/judge/bundle.ts";
import { haltedRollout } from "../../test/halted-rollout.ts";
import { type Ran, runCommand } from "../command.fixture.ts";
import { addJudgeCommands } from "./commands.ts";

/** One rollout, halted by what its canary's windows show; every test asks what it left behind. */
const halted = await haltedRollout();
const { rig, folder, at, rollout, last } = halted;
afterAll(() => halted.close());

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
