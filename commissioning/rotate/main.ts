import { parseArgs } from "node:util";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemProgram } from "@coalmine/site/system-program";
import { durableFiles, readIfThere } from "../durable-files.ts";
import { networkPorts } from "../network-ports.ts";
import { readFactorySettings } from "../options.ts";
import { placesOf } from "../places.ts";
import { diskRefusal } from "../refusal.ts";
import { endWith, EXIT } from "../unattended.ts";
import { service } from "./service.ts";
import { rotate, type Rotated } from "./rotate.ts";

/** Run by a timer of the image: a device changes its certificate before it is old. */
const usage = `usage: commissioning/rotate/main.ts --settings FILE [--after DAYS | --now] [--service UNIT]
  FILE is JSON as the maker leaves it. Changes the device's certificate when it is older than DAYS (365), or now; what an
  earlier run began is ended in any case. UNIT (greengrass.service) stands still meanwhile.
`;
const DAYS = /^[1-9]\d{0,3}$/;

async function main(): Promise<number> {
  const asked = words();
  if (asked === undefined) {
    process.stderr.write(usage);
    return EXIT.usage;
  }
  const { settings } = await readFactorySettings(asked.settings);
  const rotated = await rotate(
    {
      thing: settings.serial,
      places: placesOf(settings),
      clock: systemClock,
      files: { ...durableFiles, read: readIfThere },
      iot: networkPorts(settings, systemClock).iot,
      core: service(systemProgram, asked.unit),
    },
    asked.when,
  ).catch((failure: unknown) => {
    throw diskRefusal(failure, settings.root);
  });
  process.stdout.write(`${told(settings.serial, rotated)}\n`);
  return EXIT.done;
}

function told(thing: string, rotated: Rotated): string {
  if (rotated.kind === "changed") return `${thing} connects by ${rotated.certificateId} from now on.`;
  if (rotated.kind === "not-commissioned") return "Nothing to do: this device is not commissioned.";
  return `Nothing to do: the certificate is changed from ${new Date(rotated.dueMs).toISOString()} on.`;
}

function words() {
  try {
    const {
      settings,
      after,
      now,
      service: unit,
    } = parseArgs({
      options: {
        settings: { type: "string" },
        after: { type: "string" },
        now: { type: "boolean", default: false },
        service: { type: "string", default: "greengrass.service" },
      },
    }).values;
    const isMeant = after === undefined || (DAYS.test(after) && !now);
    if (settings === undefined || !isMeant) return undefined;
    const when = now ? ("now" as const) : { afterDays: Number(after ?? 365) };
    return { settings, unit, when };
  } catch {
    return undefined;
  }
}

endWith(main());
