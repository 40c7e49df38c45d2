import { join } from "node:path";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import type * as z from "zod";
import { type LocalRegion, newClaim, place } from "./local-region.ts";
import { durableFiles } from "../commissioning/durable-files.ts";
import { makeIdentity } from "../commissioning/identity.ts";
import { Journal } from "../commissioning/journal.ts";
import { networkPorts } from "../commissioning/network-ports.ts";
import { CommissionOptions } from "../commissioning/options.ts";
import { type Places, placesOf } from "../commissioning/places.ts";
import { keepRootCa } from "../commissioning/root-ca.ts";

/** How a device of a local region is commissioned there. `own` is its serial and root, and what else it has of its own. */
export function optionsIn(
  region: LocalRegion,
  own: { readonly serial: string; readonly root: string } & Partial<z.input<typeof CommissionOptions>>,
): CommissionOptions {
  return CommissionOptions.parse({
    site: "ward-7",
    ...region.claiming,
    region: place.region,
    iotDataEndpoint: "localhost",
    mqttPort: region.cloud.ports.mqtt,
    iotCredEndpoint: "localhost",
    ...own,
  });
}

/** Takes the identity step of a device whose code is in its place. */
export async function identified(options: CommissionOptions) {
  const { serial, site } = options;
  const places = placesOf(options);
  const journal = await Journal.open(places.journal, { serial, site, nowMs: clock.now() });
  await keepRootCa(places, options.rootCaFile, durableFiles);
  const parts = { options, places, journal, clock, files: durableFiles, ...networkPorts(options, clock) };
  await makeIdentity(parts);
  return parts;
}

/** A device of a local region that has its identity, below a folder of its own in `folder`. */
export async function inService(
  region: LocalRegion,
  folder: string,
  serial: string,
): Promise<{ readonly options: CommissionOptions; readonly places: Places }> {
  const options = optionsIn(region, { serial, root: join(folder, serial) });
  await newClaim(region, placesOf(options).claimCode, { serial, site: options.site });
  return identified(options);
}
