import { join } from "node:path";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { type LocalRegion, newClaim, place } from "./local-region.ts";
import { durableFiles } from "../commissioning/durable-files.ts";
import { makeIdentity } from "../commissioning/identity.ts";
import { Journal } from "../commissioning/journal.ts";
import { networkPorts } from "../commissioning/network-ports.ts";
import { CommissionOptions } from "../commissioning/options.ts";
import { type Places, placesOf } from "../commissioning/places.ts";
import { keepRootCa } from "../commissioning/root-ca.ts";

/** A device of a local region that has its identity, below a folder of its own in `folder`. */
export async function inService(
  region: LocalRegion,
  folder: string,
  serial: string,
): Promise<{ readonly options: CommissionOptions; readonly places: Places }> {
  const options = CommissionOptions.parse({
    serial,
    site: "ward-7",
    root: join(folder, serial),
    ...region.claiming,
    region: place.region,
    iotDataEndpoint: "localhost",
    mqttPort: region.cloud.ports.mqtt,
    iotCredEndpoint: "localhost",
  });
  const places = placesOf(options);
  await newClaim(region, places.claimCode, { serial, site: "ward-7" });
  const journal = await Journal.open(places.journal, { serial, site: "ward-7", nowMs: clock.now() });
  await keepRootCa(places, options.rootCaFile, durableFiles);
  await makeIdentity({
    options,
    places,
    journal,
    clock,
    files: durableFiles,
    ...networkPorts(options, clock),
  });
  return { options, places };
}
