import { createHash, createPublicKey } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import {
  AddThingToThingGroupCommand,
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  DescribeCertificateCommand,
  ListThingsInThingGroupCommand,
} from "@aws-sdk/client-iot";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { FilterLogEventsCommand, CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { Sha256, ThingName } from "@coalmine/contract";
import { newSigningRequest } from "@coalmine/device/signing-request";
import { newClaimCode } from "@coalmine/contract/claim-code";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { deviceIdentity } from "../../commissioning/identity.ts";
import { durableFiles, modes } from "../../commissioning/durable-files.ts";
import { placesOf } from "../../commissioning/places.ts";
import { canonicalJson, sha256 } from "../../commissioning/report/canonical-json.ts";
import { makeReport } from "../../commissioning/report/make-report.ts";
import { Visit } from "../../commissioning/report/visit.ts";
import { sendReport } from "../../commissioning/send-report.ts";
import { certificateIdOf } from "../../simulator/cloud/iot/certificates.ts";
import { names } from "../../infra/identity/identity.ts";
import { identified, optionsIn } from "../../test/device-in-service.ts";
import { type LocalRegion, newClaim, place, startLocalRegion } from "../../test/local-region.ts";
import { writeClaimCode } from "../../commissioning/claim-code-file.ts";
import { isAllowed } from "../claims/allow-list.ts";
import { exchangeCode, whyRefused } from "../claims/exchange.ts";
import { mintCodes } from "../claims/mint.ts";
import { TRIES_MAX } from "../claims/tries.ts";
import { decommission, rehome, swap } from "./retire.ts";
import { showDevice } from "./show-device.ts";

let folder: string;
let region: LocalRegion;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cm-devices-"));
  region = await startLocalRegion(join(folder, "cloud"));
});
afterAll(async () => {
  await region.cloud.close();
  await rm(folder, { recursive: true, force: true });
});

const key = (digit: string): Sha256 => Sha256.parse(digit.repeat(64));
/** Why a code was not taken. */
const refused = (asked: Promise<unknown>) =>
  asked.then(
    () => "taken",
    (failure) => failure.refusal?.reason,
  );
/** The region's side, at another time. */
const later = (ms: number) => ({ ...region.claims, clock: { ...clock, now: () => clock.now() + ms } });

/** A device of that name as its identity step leaves it. */
async function device(serial: string, site: string, code?: Parameters<typeof writeClaimCode>[1]) {
  const root = join(folder, `${serial}-${site}`);
  const options = optionsIn(region, { serial, site, root, technician: "grace" });
  const { claimCode } = placesOf(options);
  if (code === undefined) await newClaim(region, claimCode, { serial, site });
  else await writeClaimCode(claimCode, code);
  return identified(options);
}

async function members(): Promise<readonly string[]> {
  const { things } = await region.iot.send(
    new ListThingsInThingGroupCommand({ thingGroupName: names.mainGroup }),
  );
  return things ?? [];
}

test("a commissioning's report is kept, with who, where, when and its hash, and shown", async () => {
  const parts = await device("core-kept", "ward-1");
  const report = makeReport({
    options: parts.options,
    entries: parts.journal.entries,
    visit: Visit.parse({}),
    versions: {},
    nowMs: clock.now(),
  });
  const done = { report, sha256: sha256(canonicalJson(report)) };
  await durableFiles.write(parts.places.reportJson, canonicalJson(report), modes.report);
  await sendReport(parts, done);
  const shown = await vi.waitFor(async () => {
    const found = await showDevice(region.claims, { thing: "core-kept" });
    expect(found.history).toHaveLength(2);
    return found;
  }, 20_000);
  expect(shown).toMatchObject({
    registered: {
      attributes: { site: "ward-1", hardwareId: "unknown" },
      certificates: [{ status: "ACTIVE" }],
    },
    history: [
      { kind: "allowed", site: "ward-1" },
      {
        kind: "commissioned",
        who: "grace",
        site: "ward-1",
        sha256: done.sha256,
        finishedAt: report.finishedAt,
      },
    ],
  });
  const [, kept] = shown.history;
  const Key = kept?.kind === "commissioned" ? kept.key : "";
  const { Body } = await region.claims.s3.send(new GetObjectCommand({ Bucket: region.claims.bucket, Key }));
  expect(sha256((await Body?.transformToString()) ?? "")).toBe(done.sha256);
});

test("a decommissioned device is cut off, out of its groups, and its history stays; its old code brings it not back", async () => {
  const parts = await device("core-gone", "ward-1");
  const live = await parts.iot.connect(await deviceIdentity(parts));
  let cut = false;
  region.cloud.cloud.events.on((event) => {
    if (event.kind === "mqtt-connection" && event.thingName === "core-gone" && !event.connected) cut = true;
  });
  const slip = await decommission(region.claims, { thing: "core-gone", who: "ada", reason: "flooded" });
  expect(slip).toMatchObject({ as: "decommission", site: "ward-1", certificateIds: [expect.any(String)] });
  expect(cut).toBe(true);
  await live.close();
  await expect(parts.iot.connect(await deviceIdentity(parts))).rejects.toMatchObject({
    code: "ERR_COMMISSIONING",
  });
  expect(await members()).not.toContain("core-gone");
  const { registered, history } = await showDevice(region.claims, { thing: "core-gone" });
  expect(registered).toBeUndefined();
  expect(history.map(({ kind }) => kind)).toEqual(["allowed", "retiring", "retired"]);
  await expect(
    decommission(region.claims, { thing: "core-gone", who: "ada", reason: "again" }),
  ).rejects.toMatchObject({
    code: "ERR_API_NOT_FOUND",
    message: expect.stringContaining("out of the fleet"),
  });
  await expect(
    decommission(region.claims, { thing: "core-none", who: "ada", reason: "typo" }),
  ).rejects.toMatchObject({ code: "ERR_API_NOT_FOUND" });
});

test("cut at any call, a decommission that is asked for again ends where it was going", async () => {
  const thing = ThingName.parse("core-cut");
  const reason = "flooded";
  const thingGroupName = names.mainGroup;
  for (let calls = 1; ; calls++) {
    const { certificateArn: principal } = await region.iot.send(
      new CreateKeysAndCertificateCommand({ setAsActive: true }),
    );
    await region.iot.send(new CreateThingCommand({ thingName: thing }));
    await region.iot.send(new AddThingToThingGroupCommand({ thingName: thing, thingGroupName }));
    await region.iot.send(new AttachPolicyCommand({ policyName: names.devicePolicy, target: principal }));
    await region.iot.send(new AttachThingPrincipalCommand({ thingName: thing, principal }));
    let left = calls;
    const iot = new Proxy(region.claims.iot, {
      get: (client, name) =>
        name === "send"
          ? async (...asked: Parameters<typeof client.send>) => {
              if (--left === 0) throw new Error("cut");
              return client.send(...asked);
            }
          : Reflect.get(client, name),
    });
    const wasCut = await decommission({ ...region.claims, iot }, { thing, who: "ada", reason }).then(
      () => false,
      (failure: Error) => {
        expect(failure.message).toBe("cut");
        return true;
      },
    );
    if (wasCut) await decommission(region.claims, { thing, who: "ada", reason });
    const { registered, history } = await showDevice(region.claims, { thing });
    expect(registered).toBeUndefined();
    expect(history.at(-1)).toMatchObject({ kind: "retired" });
    const certificateId = principal?.split("/")[1];
    const { certificateDescription } = await region.iot.send(
      new DescribeCertificateCommand({ certificateId }),
    );
    expect(certificateDescription?.status).toBe("REVOKED");
    if (!wasCut) break;
  }
});

test("a swap gives the name to another machine, and a new home takes the same one elsewhere", async () => {
  await device("core-swap", "ward-1");
  const swapped = await swap(region.claims, {
    thing: "core-swap",
    who: "ada",
    reason: "broken",
    hardwareId: "unknown",
  });
  expect(swapped.next).toMatchObject({ serial: "core-swap", site: "ward-1", hardwareId: "unknown" });
  await rm(join(folder, "core-swap-ward-1"), { recursive: true });
  await device("core-swap", "ward-1", swapped.next?.code);
  expect(await members()).toContain("core-swap");
  const moved = await rehome(region.claims, {
    thing: "core-swap",
    who: "ada",
    reason: "moved",
    site: "ward-2",
  });
  await device("core-swap", "ward-2", moved.next?.code);
  const { registered, history } = await showDevice(region.claims, { thing: "core-swap" });
  expect(registered?.attributes).toMatchObject({ site: "ward-2" });
  expect(history.map(({ kind }) => kind).join(" ")).toBe(
    "allowed retiring retired allowed retiring retired allowed",
  );
});

test("a code that is over is told as such to who has it; wrong ones run into a limit, and right ones do not", async () => {
  const [minted] = await mintCodes(region.claims, { site: "ward-1", who: "ada", ttlHours: 1 });
  const code = minted?.code ?? "";
  expect(await refused(exchangeCode(later(3_600_001), { code, key: key("a") }, "1.2.3.4"))).toBe("expired");
  for (let again = 0; again <= TRIES_MAX; again++)
    expect(await refused(exchangeCode(region.claims, { code, key: key("a") }, "1.2.3.4"))).toBe("taken");
  const frozen = later(0);
  const now = frozen.clock.now();
  const still = { ...frozen, clock: { ...clock, now: () => now } };
  // A ward whose devices are all switched on at once, behind one address.
  const together = await Promise.all(
    Array.from({ length: 3 * TRIES_MAX }, () =>
      refused(exchangeCode(still, { code, key: key("a") }, "7.7.7.7")),
    ),
  );
  expect(together).toEqual(together.map(() => "taken"));
  const wrong = newClaimCode(() => 3);
  const answers: string[] = [];
  for (let again = 0; again <= TRIES_MAX; again++)
    answers.push(await refused(exchangeCode(still, { code: wrong, key: key("a") }, "6.6.6.6")));
  expect(answers).toEqual([...Array<string>(TRIES_MAX).fill("wrong"), "too-many"]);
  // The right secret does not help an address that has guessed; another address goes on.
  expect(await refused(exchangeCode(still, { code, key: key("a") }, "6.6.6.6"))).toBe("too-many");
  expect(await refused(exchangeCode(still, { code, key: key("a") }, "1.2.3.4"))).toBe("taken");
});

test("a try that is given back after its minute is not one more in the next", async () => {
  const [minted] = await mintCodes(region.claims, { site: "ward-1", who: "ada" });
  const from = clock.now();
  let isOver = false;
  const now = (): number => from + (isOver ? 60_000 : 0);
  // The minute ends as soon as the try is taken.
  const dynamodb = {
    send: (command: UpdateItemCommand) => region.claims.dynamodb.send(command).finally(() => (isOver = true)),
  } as unknown as typeof region.claims.dynamodb;
  const ending = { ...region.claims, dynamodb, clock: { ...clock, now } };
  await exchangeCode(ending, { code: minted?.code ?? "", key: key("a") }, "5.5.5.5");
  const next = { ...region.claims, clock: { ...clock, now } };
  const answers: string[] = [];
  for (let again = 0; again <= TRIES_MAX; again++)
    answers.push(
      await refused(exchangeCode(next, { code: newClaimCode(() => 3), key: key("a") }, "5.5.5.5")),
    );
  expect(answers).toEqual([...Array<string>(TRIES_MAX).fill("wrong"), "too-many"]);
});

test("a code that another key shows is refused, and goes over as an alarm", async () => {
  const sns = new SNSClient(region.settings);
  const TopicArn = `arn:aws:sns:${place.region}:${place.accountId}:${names.alertTopic}`;
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint: "duty@example.com" }));
  const [minted] = await mintCodes(region.claims, { site: "ward-1", who: "ada" });
  const code = minted?.code ?? "";
  await exchangeCode(region.claims, { code, key: key("a") }, "1.2.3.4");
  await expect(exchangeCode(region.claims, { code, key: key("b") }, "1.2.3.4")).rejects.toMatchObject({
    refusal: { reason: "used" },
  });
  await fetch(`${region.cloud.endpoint}/control/jump-clock`, {
    method: "POST",
    headers: { authorization: "Bearer not used here", "content-type": "application/json" },
    body: JSON.stringify({ seconds: 60 }),
  });
  await vi.waitFor(async () => {
    const { MetricAlarms = [] } = await region.claims.cloudwatch.send(
      new DescribeAlarmsCommand({ AlarmNames: [names.replayAlarm] }),
    );
    expect(MetricAlarms[0]?.StateValue).toBe("ALARM");
  }, 20_000);
  const logs = new CloudWatchLogsClient(region.settings);
  await vi.waitFor(async () => {
    const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName: "/aws/sns/email" }));
    expect(events.map(({ message }) => message).join("\n")).toContain(names.replayAlarm);
  }, 20_000);
  sns.destroy();
  logs.destroy();
});

test("a code lets in one device, under one name, by the key that showed it", async () => {
  const [minted] = await mintCodes(region.claims, { site: "ward-1", who: "ada" });
  const { request: certificateSigningRequest, privateKey } = newSigningRequest("core-one");
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const shown = {
    code: minted?.code ?? "",
    key: Sha256.parse(createHash("sha256").update(spki).digest("hex")),
  };
  const claim = await exchangeCode(region.claims, shown, "here");
  const claimCertificateId = certificateIdOf(claim.certificatePem);
  const ask = async (SerialNumber: string) => {
    const made = await region.iot.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest }));
    const { certificateId = "", certificatePem = "" } = made;
    const parameters = { SerialNumber, Site: "ward-1" };
    return isAllowed(region.claims, { claimCertificateId, certificateId, certificatePem, parameters });
  };
  expect(await ask("core-one")).toBe(true);
  expect(await ask("core-two")).toBe(false);
  expect((await whyRefused(region.claims, shown, "here")).refusal).toMatchObject({ reason: "count" });
  const other = { claimCertificateId: "of nobody", certificateId: "", certificatePem: "", parameters: {} };
  expect(await isAllowed(region.claims, other)).toBe(false);
});

test("a batch of codes names no device, and one device takes one code", async () => {
  const codes = await mintCodes(region.claims, { site: "ward-1", who: "ada", count: 3 });
  expect(new Set(codes.map(({ id }) => id)).size).toBe(3);
  await expect(
    mintCodes(region.claims, { site: "ward-1", who: "ada", count: 3, serial: "core-1" }),
  ).rejects.toMatchObject({ code: "ERR_API_INPUT" });
  await expect(mintCodes(region.claims, { site: "ward 1", who: "ada" })).rejects.toMatchObject({
    code: "ERR_API_INPUT",
  });
});
