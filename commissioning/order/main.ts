import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { systemClock } from "@coalmine/runtime/system-clock";
import { networkManager } from "@coalmine/site/network-manager";
import { systemProgram } from "@coalmine/site/system-program";
import { claimsDoor } from "../claims-door.ts";
import { durableFiles } from "../durable-files.ts";
import { readFactorySettings } from "../options.ts";
import { placesOf } from "../places.ts";
import { readProxy } from "../proxy-file.ts";
import { diskRefusal } from "../refusal.ts";
import { endWith, EXIT } from "../unattended.ts";
import { obeyOrder } from "./order.ts";

/** Run by a timer of the image: a device that was taken out of the fleet wipes itself. */
const usage = `usage: commissioning/order/main.ts --settings FILE
  FILE is JSON as the maker leaves it. Asks once; where \`coalmine device decommission\`, \`rehome\` or \`swap\` took this device
  out, it stops the core device and removes identity, code, passphrases, calibrations and papers for good.
`;

async function main(): Promise<number> {
  const file = settingsFile();
  if (file === undefined) {
    process.stderr.write(usage);
    return EXIT.usage;
  }
  const { settings } = await readFactorySettings(file);
  const { claimEndpoint, rootCaFile, root } = settings;
  const rootCa = () => readFile(rootCaFile, "utf8");
  const findProxy = () => readProxy(placesOf(settings).proxy);
  const obeyed = await obeyOrder(settings, {
    ask: claimsDoor(claimEndpoint, rootCa, systemClock, findProxy),
    network: networkManager(systemProgram),
    run: systemProgram,
    files: durableFiles,
  }).catch((failure: unknown) => {
    throw diskRefusal(failure, root);
  });
  process.stdout.write(
    obeyed.kind === "wiped"
      ? `${settings.serial} was taken out of the fleet (${obeyed.order.as}, ${obeyed.order.at}): ${obeyed.wiped.erased.length} files are overwritten and removed; forgotten networks: ${obeyed.wiped.forgotten.join(", ") || "none"}.\n`
      : `Nothing to do: this device is ${obeyed.why}.\n`,
  );
  return EXIT.done;
}

function settingsFile(): string | undefined {
  try {
    return parseArgs({ options: { settings: { type: "string" } } }).values.settings;
  } catch {
    return undefined;
  }
}

endWith(main());
