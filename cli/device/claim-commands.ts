import { silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { closeClaimCloud, openClaimCloud, type ClaimCloud } from "../../api/claims/claim-cloud.ts";
import { mintCodes } from "../../api/claims/mint.ts";
import { decommission, rehome, swap, type Slip } from "../../api/devices/retire.ts";
import { showDevice } from "../../api/devices/show-device.ts";
import { names } from "../../infra/identity/identity.ts";
import { clientSettings } from "../../pipeline/target.ts";
import { answer } from "../answers/answers.ts";
import { askingWhom, targetsNamed } from "../asked/asked.ts";
import type { CliCommand } from "../command/command.ts";
import { wholeNumber } from "../command/words.ts";
import type { Places } from "../system/state.ts";
import { codeText, deviceText, slipText } from "./device-text.ts";

interface Json {
  readonly json: boolean;
  readonly fleet?: string;
}
interface Device {
  readonly site: string;
  readonly serial?: string;
  readonly hardwareId?: string;
}
type Claim = Json & Device & { readonly count: number; readonly ttl: number };
type Retire = Json & { readonly reason: string };

const OF_FLEET = ["--fleet <name>", "of that target; the home region's without it"] as const;
const COUNT_MAX = 1000;
const HOURS_MAX = 24 * 365;

/** How a device comes into the fleet, what happened to it, and how it goes. */
export function addClaimCommands(device: CliCommand, at: Places): void {
  device
    .command("claim")
    .description("make one-time codes by which devices become part of the fleet; they are shown only now")
    .requiredOption("--site <name>", "where the device will be")
    .option("--serial <name>", "the one serial number that the code is for; the device's name in the fleet")
    .option("--hardware-id <id>", "the one machine that the code is for")
    .option("--count <n>", "so many codes, each for one device", wholeNumber(1, COUNT_MAX), 1)
    .option("--ttl <hours>", "how long they are good", wholeNumber(1, HOURS_MAX), 72)
    .option(...OF_FLEET)
    .answers("device-claim")
    .example("device claim --site ward-7 --serial core-99")
    .example("device claim --site ward-7 --count 20 --ttl 48")
    .action(({ json, fleet, count, ttl, site, serial, hardwareId }: Claim) =>
      asking(at, fleet, async (cloud, who) => {
        const named = {
          ...(serial === undefined ? {} : { serial }),
          ...(hardwareId === undefined ? {} : { hardwareId }),
        };
        const codes = await mintCodes(cloud, { site, ...named, count, ttlHours: ttl, who });
        if (json) answer("device-claim", codes);
        else console.log(codes.map(codeText).join("\n"));
      }),
    );
  device
    .command("show")
    .argument("<thing>", "its name in the fleet, as on its label")
    .description("a device as the registry has it, its commissioning, and its whole history")
    .option(...OF_FLEET)
    .answers("device-show")
    .example("device show core-01")
    .action((thing: string, { json, fleet }: Json) =>
      asking(at, fleet, async (cloud) => {
        const shown = await showDevice(cloud, { thing });
        if (json) answer("device-show", shown);
        else console.log(deviceText(shown));
      }),
    );
  const retiring = (name: string, description: string, more = ""): CliCommand =>
    device
      .command(name)
      .argument("<thing>", "its name in the fleet, as on its label")
      .description(description)
      .requiredOption("--reason <text>", "why; the device's history keeps it")
      .option(...OF_FLEET)
      .answers("device-retired")
      .example(`device ${name} core-07 ${more}--reason "its fan is broken"`);
  retiring(
    "decommission",
    "take a device out for good: its certificate is revoked, its history stays",
  ).action((thing: string, { reason, ...how }: Retire) =>
    retire(at, how, (cloud, who) => decommission(cloud, { thing, who, reason })),
  );
  retiring(
    "rehome",
    "take a device out, and make the code by which it is commissioned at another site",
    "--site ward-9 ",
  )
    .requiredOption("--site <name>", "where it goes")
    .action((thing: string, { reason, site, ...how }: Retire & Device) =>
      retire(at, how, (cloud, who) => rehome(cloud, { thing, who, reason, site })),
    );
  retiring("swap", "take a broken device out, and make the code by which another machine takes its place")
    .option("--hardware-id <id>", "the one machine that may take its place")
    .action((thing: string, { reason, hardwareId, ...how }: Retire & Device) =>
      retire(at, how, (cloud, who) => swap(cloud, { thing, who, reason, hardwareId })),
    );
}

function retire(
  at: Places,
  { json, fleet }: Json,
  take: (cloud: ClaimCloud, who: string) => Promise<Slip>,
): Promise<void> {
  return asking(at, fleet, async (cloud, who) => {
    const slip = await take(cloud, who);
    if (json) answer("device-retired", slip);
    else console.log(slipText(slip));
  });
}

/** Asks the region in which that fleet's devices are commissioned, and lets go of it. */
function asking(
  at: Places,
  fleet: string | undefined,
  ask: (cloud: ClaimCloud, who: string) => Promise<void>,
): Promise<void> {
  return askingWhom(at, async (asked) => {
    const [target] = targetsNamed(asked, fleet);
    const cloud = openClaimCloud(clientSettings(target), {
      clock: systemClock,
      log: silentLog,
      template: names.provisioningTemplate,
      bucket: target.artifactBucket,
    });
    try {
      await ask(cloud, asked.who);
    } finally {
      closeClaimCloud(cloud);
    }
  });
}
