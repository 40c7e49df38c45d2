import { parseArgs } from "node:util";
import { ThingName } from "@coalmine/contract";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { activeCertificates, statusOf } from "../api/devices/registry.ts";
import { rotate } from "../commissioning/rotate/rotate.ts";
import { usualNames } from "../simulator/fleet/driven/usual-settings.ts";
import { lakeFindings } from "../simulator/fleet/evidence/lake.ts";
import { deployRelease, untilInstalled } from "../simulator/fleet/release/deploy.ts";
import { publishRelease } from "../simulator/fleet/release/publish.ts";
import { readRelease } from "../simulator/fleet/release/release-folder.ts";
import { firstCertificate, isRefused } from "./rotating-certificates.ts";
import { asking, rotatingDevice } from "./rotating-device.ts";
import { openRotatingRegion } from "./rotating-region.ts";

/**
 * A fleet of whole hosted devices each of which changes its certificate while its instrument measures, in a process of its
 * own. The last line is what came of it, as `RotatedFleet`.
 */
const MINUTE_MS = 60_000;
const INSTALL_MS_MAX = 20 * MINUTE_MS;
const ROTATING_MS = 10 * MINUTE_MS;
const AFTERWARDS_MS = 20 * MINUTE_MS;
/** An upload waits an hour for more. */
const SETTLES_MS = 75 * MINUTE_MS;
/** Of eight devices these have no network when it is their turn, one of each way. */
const CUT_OF_EIGHT = new Set([2, 3]);
const CUT = { beforeMs: MINUTE_MS, forMs: 2.5 * MINUTE_MS };
const AGAIN_MS = 5 * MINUTE_MS;

const Options = z.object({ devices: z.coerce.number(), running: z.string(), artifacts: z.string() });

async function run() {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { devices: text, running: text, artifacts: text } });
  const { devices, running, artifacts: artifactFolder } = Options.parse(values);
  const load = { curvePeriodMs: MINUTE_MS };
  const opened = await openRotatingRegion({ devices, artifactFolder, load });
  const { region, claims } = opened;
  const fleet = [];
  for (const [index, device] of region.devices.entries()) {
    const former = await firstCertificate(region, device);
    const way = index % 2 === 0 ? "goes on sending" : "stands still";
    const isCut = CUT_OF_EIGHT.has(index % 8);
    fleet.push({ device, former, isCut, parts: rotatingDevice(region, device, former, way) });
  }
  const release = readRelease(running);
  await publishRelease(region, release, usualNames.artifactBucket);
  const id = await deployRelease(region, release, usualNames.fleetGroup, "running", {
    [asking.component]: asking.merge,
  });
  await untilInstalled(region, release, INSTALL_MS_MAX, id);

  const failures: { thing: string; why: string }[] = [];
  let changed = 0;
  for (const [index, { device, isCut, parts }] of fleet.entries()) {
    const atMs = MINUTE_MS + ((index + 1) / (devices + 1)) * ROTATING_MS;
    if (isCut)
      region.clock.timer(atMs - CUT.beforeMs, () => void region.clock.timer(CUT.forMs, device.network.cut()));
    /** As its timer would, again and again. */
    const tryIt = (): void => {
      rotate(parts, "now").then(
        () => changed++,
        (failure: unknown) => {
          failures.push({ thing: device.thingName, why: messageOf(failure) });
          region.clock.timer(AGAIN_MS, tryIt);
        },
      );
    };
    region.clock.timer(atMs, tryIt);
  }
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
  await opened.close();
  return {
    devices,
    changed,
    cut: fleet.flatMap(({ device, isCut }) => (isCut ? [device.thingName] : [])),
    failures,
    revoked,
    sole,
    refused,
    readings: { sent, rows: rows - resultRows, lost, doubled, unknown },
    examples,
  };
}
export type RotatedFleet = Awaited<ReturnType<typeof run>>;

process.stdout.write(`${JSON.stringify(await run())}\n`);
process.exit(0);
