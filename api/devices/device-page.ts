import {
  GetCoreDeviceCommand,
  paginateListInstalledComponents,
  ResourceNotFoundException,
  type InstalledComponent,
} from "@aws-sdk/client-greengrassv2";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { ResourceNotFoundException as NoTable } from "@aws-sdk/client-dynamodb";
import { ThingName } from "@coalmine/contract";
import type { DevicePage } from "@coalmine/contract/operator-api";
import * as z from "zod";
import type { Region } from "../../pipeline/controller/region.ts";
import { ageOf } from "../age.ts";
import { ApiError } from "../api-error.ts";
import { type Api, parseInput } from "../api.ts";
import { fullName, versionsOf } from "../fleets/device-row.ts";
import type { FleetSeen, FleetWatch } from "../fleets/fleet-watch.ts";
import { rolloutsUnderWay } from "../fleets/list-fleets.ts";
import { eventText } from "./event-text.ts";
import { historyOf, type KeptEvent } from "./history.ts";
import { registeredOf } from "./show-device.ts";

/** Everything of one device: what it said, what Greengrass and the registry have, and what happened to it. */
export async function devicePage(
  api: Api,
  watches: readonly FleetWatch[],
  input: { readonly thing: string },
): Promise<DevicePage> {
  const { thing } = parseInput(z.object({ thing: ThingName }), input);
  const { watch, seen } = await whereIs(watches, thing);
  const { region, fleet } = watch;
  const row = seen.rows.get(thing);
  const tally = seen.tally[thing];
  const { nowMs } = seen;
  const [registered, nucleus, installed, history, rollouts] = await Promise.all([
    registeredOf(region, thing),
    nucleusOf(region, thing),
    installedOn(region, thing),
    knownHistory(region, thing),
    rolloutsUnderWay(api),
  ]);
  const record = history.findLast((event) => event.kind === "commissioned");
  const rollout = rollouts.get(fleet);
  return {
    ...(row ?? { thing, fleet, cohort: "main" as const, state: "unseen" as const }),
    nowMs,
    ...(registered === undefined ? {} : { registered }),
    ...(nucleus === undefined ? {} : { nucleus }),
    components: componentsOf(seen, thing, row?.cohort ?? "main", installed),
    ...(tally?.connection === undefined
      ? {}
      : {
          connection: {
            connected: tally.connection.connected,
            seen: ageOf(tally.connection.atMs, nowMs),
          },
        }),
    ...(tally?.job === undefined
      ? {}
      : { job: { status: tally.job.status, seen: ageOf(tally.job.atMs, nowMs) } }),
    selfTests: history
      .flatMap((event) => (event.kind === "commissioned" ? [selfTestOf(event)] : []))
      .toReversed(),
    history: history.map((event) => ({
      atMs: Date.parse(event.at),
      kind: event.kind,
      sentence: eventText(event),
    })),
    ...(record === undefined ? {} : { commissioningRecord: `/api/devices/${thing}/commissioning` }),
    ...(rollout === undefined ? {} : { rollout }),
  };
}

/** The fleet that a thing is in. @throws ApiError where no fleet has it. */
export async function whereIs(
  watches: readonly FleetWatch[],
  thing: string,
): Promise<{ readonly watch: FleetWatch; readonly seen: FleetSeen }> {
  for (const watch of watches) {
    const seen = await watch.look();
    if (seen.rows.has(thing)) return { watch, seen };
  }
  throw new ApiError(
    "ERR_API_NOT_FOUND",
    `no fleet has a device ${thing}; compare its name with its label, or search the devices`,
  );
}

/** The text of a technician's latest report. @throws ApiError where there is none. */
export async function commissioningReport(
  watches: readonly FleetWatch[],
  input: { readonly thing: string },
): Promise<string> {
  const { thing } = parseInput(z.object({ thing: ThingName }), input);
  const { watch } = await whereIs(watches, thing);
  const { region } = watch;
  const record = (await knownHistory(region, thing)).findLast((event) => event.kind === "commissioned");
  if (record === undefined)
    throw new ApiError(
      "ERR_API_NOT_FOUND",
      `no technician's report of ${thing} has arrived; it comes by itself once the device has its identity`,
    );
  const { Body } = await region.s3.send(
    new GetObjectCommand({ Bucket: region.target.artifactBucket, Key: record.key }),
  );
  return (await Body?.transformToString()) ?? "";
}

/** A region where nobody was ever commissioned has no table of it. */
async function knownHistory(region: Region, thing: ThingName): Promise<KeptEvent[]> {
  try {
    return await historyOf(region, thing);
  } catch (failure) {
    if (failure instanceof NoTable) return [];
    throw failure;
  }
}

function selfTestOf(event: Extract<KeptEvent, { kind: "commissioned" }>): DevicePage["selfTests"][number] {
  const { who, passed, ports } = event;
  return { atMs: Date.parse(event.finishedAt) || Date.parse(event.at), who, passed, ports };
}

async function nucleusOf({ greengrass }: Region, thing: string): Promise<DevicePage["nucleus"]> {
  const found = await unlessUnknown(
    greengrass.send(new GetCoreDeviceCommand({ coreDeviceThingName: thing })),
  );
  if (found === undefined) return undefined;
  const { coreVersion = "?", platform = "?", architecture = "?", status = "?" } = found;
  return { version: coreVersion, platform, architecture, status };
}

async function installedOn({ greengrass }: Region, thing: string): Promise<InstalledComponent[]> {
  const installed: InstalledComponent[] = [];
  const pages = paginateListInstalledComponents({ client: greengrass }, { coreDeviceThingName: thing });
  await unlessUnknown(
    (async () => {
      for await (const { installedComponents = [] } of pages) installed.push(...installedComponents);
    })(),
  );
  return installed;
}

/** Undefined where it was never a core device. */
async function unlessUnknown<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (failure) {
    if (failure instanceof ResourceNotFoundException) return undefined;
    throw failure;
  }
}

/** What its nucleus reports and what its heartbeat says, together, each with its age. */
function componentsOf(
  { tally, membership, nowMs }: FleetSeen,
  thing: string,
  cohort: "canary" | "main",
  installed: readonly InstalledComponent[],
): DevicePage["components"] {
  const said = tally[thing]?.last;
  const heard = new Map(
    Object.keys(said?.versions ?? {}).map((short) => [
      fullName(short),
      {
        seen: ageOf((said?.atMs ?? nowMs) - (said?.ageMs[short] ?? 0), nowMs),
        startedMs: said?.startedMs[short],
      },
    ]),
  );
  const versions = new Map(Object.entries(versionsOf(tally[thing]) ?? {}));
  const reported = new Map(installed.map((one) => [one.componentName ?? "", one]));
  const inForce = membership.inForce[cohort]?.components ?? {};
  return [...new Set([...versions.keys(), ...reported.keys()])].sort().map((component) => {
    const report = reported.get(component);
    const { seen, startedMs } = heard.get(component) ?? {};
    const asked = inForce[component]?.version;
    const status = report?.lifecycleState;
    return {
      component,
      version: versions.get(component) ?? report?.componentVersion ?? "?",
      ...(asked === undefined ? {} : { asked }),
      ...(status === undefined ? {} : { status }),
      ...(seen === undefined ? {} : { seen }),
      ...(startedMs === undefined ? {} : { startedMs }),
    };
  });
}
