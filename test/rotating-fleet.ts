import { parseArgs } from "node:util";
import { ThingName } from "@coalmine/contract";
import { newSigningRequest } from "@coalmine/device/signing-request";
import { messageOf, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import { activeCertificates, statusOf } from "../api/devices/registry.ts";
import { CommissioningSide } from "../cli/system/commissioning-side.ts";
import { CommissioningRefused } from "../commissioning/refusal.ts";
import { rotate, type RotationParts } from "../commissioning/rotate/rotate.ts";
import { functionNames } from "../infra/identity/functions.ts";
import { certificateRule, names } from "../infra/identity/identity.ts";
import type { DrivenRegion } from "../simulator/fleet/driven/region.ts";
import { usualNames } from "../simulator/fleet/driven/usual-settings.ts";
import { lakeFindings } from "../simulator/fleet/evidence/lake.ts";
import { openWitnessed } from "../simulator/fleet/evidence/witnessed-region.ts";
import type { HostedDevice } from "../simulator/fleet/hosted/hosted-device.ts";
import { deployRelease, untilInstalled } from "../simulator/fleet/release/deploy.ts";
import { publishRelease } from "../simulator/fleet/release/publish.ts";
import { readRelease } from "../simulator/fleet/release/release-folder.ts";
import { asking, ownLine, rotatingDevice } from "./rotating-device.ts";

/**
 * A fleet of whole hosted devices each of which changes its certificate while its instrument measures, in a process of its
 * own. The last line is what came of it, as `RotatedFleet`.
 */
const MINUTE_MS = 60_000;
const CURVE_PERIOD_MS = MINUTE_MS;
const INSTALL_MS_MAX = 20 * MINUTE_MS;
const ROTATING_MS = 10 * MINUTE_MS;
const AFTERWARDS_MS = 20 * MINUTE_MS;
/** An upload waits an hour for more. */
const SETTLES_MS = 75 * MINUTE_MS;

const Options = z.object({ devices: z.coerce.number(), running: z.string(), artifacts: z.string() });
const Created = z.object({
  certificateId: z.string(),
  certificateArn: z.string(),
  certificatePem: z.string(),
});
type Created = z.infer<typeof Created>;

/** What the region's clock waits for: a function's calls go over the loopback. */
let holding: () => () => void = () => () => undefined;

async function run() {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { devices: text, running: text, artifacts: text } });
  const { devices, running, artifacts: artifactFolder } = Options.parse(values);
  const side = new CommissioningSide(systemClock, silentLog);
  const functions = Object.fromEntries(
    Object.entries(side.functions).map(([name, call]) => [
      name,
      async (event: unknown) => {
        const done = holding();
        try {
          return await call(event);
        } finally {
          done();
        }
      },
    ]),
  );
  const { region } = await openWitnessed({
    devices,
    seed: "rotation",
    artifactFolder,
    functions,
    load: { curvePeriodMs: CURVE_PERIOD_MS },
  });
  holding = () => region.clock.busy();
  const door = await region.cloud.listen({ host: "127.0.0.1", port: 0 });
  const credentials = { accessKeyId: "AKIANOBODY", secretAccessKey: "none" };
  const claims = await side.open(
    { region: region.region, endpoint: door.endpoint, credentials },
    usualNames.lakeBucket,
  );
  await region.turn.change(() =>
    region.cloud.invoke("iot", "CreateTopicRule", {
      ruleName: names.certificateRule,
      topicRulePayload: certificateRule(functionNames.certificates),
    }),
  );
  const fleet: { device: HostedDevice; former: Created & { privateKeyPem: string }; parts: RotationParts }[] =
    [];
  for (const [index, device] of region.devices.entries()) {
    const former = await firstCertificate(region, device);
    const way = index % 2 === 0 ? "goes on sending" : "stands still";
    const parts = rotatingDevice(region, device, { ...former, privateKeyPem: former.privateKeyPem }, way);
    fleet.push({ device, former, parts });
  }

  const release = readRelease(running);
  await publishRelease(region, release, usualNames.artifactBucket);
  const id = await deployRelease(region, release, usualNames.fleetGroup, "running", {
    [asking.component]: asking.merge,
  });
  await untilInstalled(region, release, INSTALL_MS_MAX, id);

  const failures: string[] = [];
  let changed = 0;
  for (const [index, { device, parts }] of fleet.entries())
    region.clock.timer(((index + 1) / (devices + 1)) * ROTATING_MS, () => {
      rotate(parts, "now").then(
        ({ kind }) => (kind === "changed" ? changed++ : failures.push(`${device.thingName}: ${kind}`)),
        (failure: unknown) => failures.push(`${device.thingName}: ${messageOf(failure)}`),
      );
    });
  await region.turn.advance(ROTATING_MS + AFTERWARDS_MS);
  for (const { bench } of region.devices) bench.rest();
  await region.turn.advance(SETTLES_MS);

  let revoked = 0;
  let sole = 0;
  let refused = 0;
  for (const { device, former } of fleet) {
    if ((await statusOf(claims, former.certificateId)) === "REVOKED") revoked++;
    const active = await activeCertificates(claims, ThingName.parse(device.thingName));
    if (active.length === 1 && active[0] === device.certificateId && device.core.isConnected) sole++;
    if (await isRefused(region, device, former)) refused++;
  }
  const lake = await lakeFindings(region, usualNames.lakeBucket);
  const sent = region.devices
    .flatMap(({ thingName }) => [...region.ledgersOf(thingName).values()])
    .flatMap((ledger) => ledger.boots())
    .reduce((sum, { readings, channels }) => sum + readings * channels, 0);
  const { rows, resultRows, lost, doubled, unknown, examples } = lake;
  side.close();
  await door.close();
  await region.close();
  return {
    devices,
    changed,
    failures,
    revoked,
    sole,
    refused,
    readings: { sent, rows: rows - resultRows, lost, doubled, unknown },
    examples,
  };
}
export type RotatedFleet = Awaited<ReturnType<typeof run>>;

/** Of a key of its own, in place of what devices in a process are given. */
async function firstCertificate(region: DrivenRegion, device: HostedDevice) {
  const { privateKey, request } = newSigningRequest(device.thingName);
  const former = region.cloud.iot.iot.certificates.arn(device.certificateId);
  const { thingName } = device;
  const made = await region.turn.change(async () => {
    const invoke = (operation: string, input: object) => region.cloud.invoke("iot", operation, { ...input });
    const created = Created.parse(
      await invoke("CreateCertificateFromCsr", { certificateSigningRequest: request, setAsActive: true }),
    );
    await invoke("AttachPolicy", { policyName: names.devicePolicy, target: created.certificateArn });
    await invoke("AttachThingPrincipal", { thingName, principal: created.certificateArn });
    await invoke("DetachThingPrincipal", { thingName, principal: former });
    return created;
  });
  device.useCertificate(made.certificateId);
  return { ...made, privateKeyPem: privateKey };
}

/** Whether AWS IoT takes no session by it any more. */
async function isRefused(
  region: DrivenRegion,
  device: HostedDevice,
  identity: { readonly certificatePem: string; readonly privateKeyPem: string },
): Promise<boolean> {
  const { thingName: clientId } = device;
  const tried = ownLine(region, device)
    .connect({ ...identity, clientId, rootCaPem: "", whose: "device" })
    .then(
      () => false,
      (failure: unknown) => failure instanceof CommissioningRefused && failure.sentence.includes("refused: "),
    );
  await region.turn.advance(MINUTE_MS);
  return tried;
}

process.stdout.write(`${JSON.stringify(await run())}\n`);
process.exit(0);
