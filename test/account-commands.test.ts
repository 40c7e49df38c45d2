import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AttachThingPrincipalCommand, CreateKeysAndCertificateCommand } from "@aws-sdk/client-iot";
import { Closing, silentLog } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeClaimCloud, ensureCommissioningTable, openClaimCloud } from "../api/claims/claim-cloud.ts";
import { play, type Rig, startRig } from "../api/rig.ts";
import { addAuditCommands } from "../cli/audit/commands.ts";
import { type Ran, runCommand } from "../cli/command.fixture.ts";
import { addComponentCommands } from "../cli/component/commands.ts";
import { addDeviceCommands } from "../cli/device/commands.ts";
import { addFleetCommands } from "../cli/fleet/commands.ts";
import { addJudgeCommands } from "../cli/judge/commands.ts";
import { addRolloutCommands } from "../cli/rollout/commands.ts";
import { addQuestions } from "../cli/rollout/questions.ts";
import { places } from "../cli/system/state.ts";
import type { PeoplePolicy } from "../infra/rollout/command-may.ts";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";
import { deviceLog } from "./device-log.ts";
import { enforceRights, type EnforcedRights } from "./enforced-rights.ts";
import { peopleRights } from "./people-rights.ts";
import { startCloud } from "./rig-cloud.ts";

/**
 * The commands as people run them against an account: nothing runs on this machine, the environment names the account,
 * and the cloud refuses what the synthesized policies of whoever asks do not allow.
 */

const environment = { ...process.env };
const closing = new Closing();
const folder = mkdtempSync(join(tmpdir(), "coalmine-account-"));
const at = places(dirname(import.meta.dirname), { COALMINE_STATE: folder });
let rig: Rig;
let cloud: EnforcedRights;
let rightsOf: ReturnType<typeof peopleRights>;
let targets: string;

beforeAll(async () => {
  process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
  process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
  rig = await startRig(
    (name, region) =>
      startCloud(closing, name, region, (started) => {
        cloud = enforceRights(started);
      }),
    closing,
    { home: 3 },
  );
  const { target } = rig.home.region;
  rightsOf = peopleRights([target]);
  const { iot } = rig.home.region;
  const { certificateArn: principal = "" } = await iot.send(new CreateKeysAndCertificateCommand({}));
  await iot.send(new AttachThingPrincipalCommand({ thingName: "home-0", principal }));
  const { region, endpoint = "" } = target;
  const claims = openClaimCloud(
    { region, endpoint },
    { clock: rig.options.clock, log: silentLog, template: "t", bucket: target.artifactBucket },
  );
  await ensureCommissioningTable(claims);
  closeClaimCloud(claims);
  // The fleet's own clock is not the wall's, and says so by its control API.
  targets = JSON.stringify([{ ...target, controlUrl: `${target.endpoint ?? ""}/control` }]);
  const put = await deviceLog(closing, target, "home-0", () => rig.options.clock.now());
  await put(["a line of home-0"]);
});
afterAll(async () => {
  await closing.close();
  rmSync(folder, { recursive: true, force: true });
  process.env = environment;
});

interface Person {
  readonly name: string;
  readonly policies: readonly PeoplePolicy[];
  readonly more?: Readonly<Record<string, string>>;
}
const vera: Person = { name: "vera@example.com", policies: ["viewers"] };
const otto: Person = { name: "otto@example.com", policies: ["viewers", "operators"] };

async function as({ name, policies, more }: Person, ...words: string[]): Promise<Ran> {
  const signedIn = await cloud.signIn(name, rightsOf(...policies));
  return runCommand(
    (program) => {
      Object.assign(process.env, signedIn, {
        COALMINE_TARGETS: targets,
        COALMINE_ACCOUNT: "123456789012",
        COALMINE_CONTROL_TOKENS: JSON.stringify({ home: "token" }),
        ...more,
      });
      addQuestions(program, addRolloutCommands(program, at), at);
      addFleetCommands(program, at);
      addComponentCommands(program, at);
      addDeviceCommands(program, at);
      addAuditCommands(program, at);
      addJudgeCommands(program, at);
    },
    ...words,
  );
}

test("whoever may look sees all of a rollout and its fleet, and decides nothing; an operator's decision is in the audit log by name", async () => {
  await rig.push("2222222bbbbb", "1.0.1");
  const controller = rig.controller();
  let decided = 0;
  const rollout = await play(rig, async () => {
    const told = await controller.tick();
    if (told.rollout === undefined || told.phase !== "awaitingPromotion" || told.moved) return told;
    await lookAtAll(told.rollout);
    const denied = await as(vera, "rollout", "promote", told.rollout, "--reason", "looks well");
    expect(denied).toMatchObject({
      code: 6,
      err: expect.stringMatching(
        /AWS refuses this: .*vera@example\.com is not authorized to perform: dynamodb:PutItem.*CoalmineOperators/,
      ),
    });
    for (const verb of ["hold", "resume", "promote"])
      expect(await as(otto, "rollout", verb, told.rollout, "--reason", "looks well")).toMatchObject({
        code: 0,
        err: "",
      });
    decided++;
    return controller.tick();
  });
  expect(decided).toBe(1);
  expect(await as(vera, "rollout", "watch", rollout)).toMatchObject({ code: 0, err: "" });
  const { out } = await as(vera, "audit", "export", rollout);
  expect(out).toContain('\\"kind\\":\\"promoted\\",\\"by\\":\\"otto@example.com\\"');
  expect(out).not.toContain(vera.name);
  expect(rightsOf("operators").flatMap(({ actions }) => actions)).toEqual(["dynamodb:PutItem"]);
  expect(cloud.done(otto.name)).toContain("dynamodb:PutItem");
  // Nothing is allowed for nothing: the rest is for devices that hang and for objects that are missing.
  const seen = cloud.done(vera.name);
  const unused = rightsOf("viewers").flatMap(({ actions }) => actions.filter((action) => !seen.has(action)));
  expect(new Set(unused)).toEqual(
    new Set([
      "greengrass:GetCoreDevice",
      "greengrass:ListEffectiveDeployments",
      "greengrass:ListInstalledComponents",
      "logs:FilterLogEvents",
      "s3:ListBucket",
    ]),
  );
});

async function lookAtAll(rollout: string): Promise<void> {
  for (const words of [
    ["rollout", "list"],
    ["rollout", "show"],
    ["rollout", "plan"],
    ["why", rollout],
    ["fleet", "list"],
    ["fleet", "show", "home"],
    ["component", "list"],
    ["device", "list", "--fleet", "home"],
    ["device", "show", "home-0"],
    ["device", "logs", "home-0"],
    ["audit", "list"],
    ["audit", "verify", rollout],
    ["judge", "verify", rollout],
    ["judge", "export", rollout, "--to", join(folder, "evidence")],
  ]) {
    const ran = await as(vera, ...words);
    expect(ran, words.join(" ")).toMatchObject({ code: 0, err: "" });
    expect(ran.out.length, words.join(" ")).toBeGreaterThan(10);
  }
}

test("credentials that open nothing, or another account than the one that is named, are refused in a sentence", async () => {
  const stranger = { AWS_ACCESS_KEY_ID: "AKIASOMEBODYELSE0000" };
  expect(await as({ ...vera, more: stranger }, "rollout", "list")).toMatchObject({
    code: 6,
    err: expect.stringMatching(/the credentials of this environment open no account .*sign in/),
  });
  expect(await as({ ...vera, more: { COALMINE_ACCOUNT: "999999999999" } }, "rollout", "list")).toMatchObject({
    code: 2,
    err: expect.stringMatching(
      /are of account 123456789012 \(.*\/vera@example\.com\), and COALMINE_ACCOUNT is 999999999999/,
    ),
  });
  expect(await as({ ...vera, more: { COALMINE_TARGETS: "[]" } }, "rollout", "list")).toMatchObject({
    code: 8,
    err: expect.stringContaining("COALMINE_TARGETS cannot be read"),
  });
  const { target } = rig.home.region;
  const named = { COALMINE_TARGETS: "", AWS_REGION: "us-east-1", AWS_ENDPOINT_URL: target.endpoint ?? "" };
  // By the account and region alone: its buckets are the stacks' own, and the rollouts are the same.
  expect(await as({ ...vera, more: named }, "rollout", "list")).toMatchObject({
    code: 0,
    out: expect.stringContaining("2222222bbbbb".slice(0, 7)),
  });
});
