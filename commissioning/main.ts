import { parseArgs } from "node:util";
import { serialLinks } from "@coalmine/device/serial-links";
import { messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { commission, type Step } from "./commission.ts";
import { mqttConnector } from "./mqtt-connector.ts";
import { readOptions, type CommissionOptions } from "./options.ts";
import { CommissioningRefused, type RefusalReason } from "./refusal.ts";

/** The technician's program. What was done is kept: after a refusal or a power cut it is simply run again. */
const usage = `usage: commissioning/main.ts --settings FILE [--json]
  FILE is JSON: serial, site, root, claimFolder, region, the endpoints, serialFolders.
`;
const EXIT = { done: 0, unexpected: 1, usage: 2, permission: 6, conflict: 7, unreachable: 8 } as const;
const exits: Readonly<Partial<Record<RefusalReason, number>>> = {
  settings: EXIT.usage,
  "claim-refused": EXIT.permission,
  "claim-expired": EXIT.permission,
  "file-modes": EXIT.permission,
  "wrong-authority": EXIT.unreachable,
  unreachable: EXIT.unreachable,
  "no-serial-port": EXIT.conflict,
  "silent-instrument": EXIT.conflict,
  "port-taken": EXIT.conflict,
};
const titles: Readonly<Record<Step, string>> = {
  clock: "Clock",
  identity: "Identity",
  "self-test": "Instruments",
  configuration: "Configuration",
  report: "Report",
};

async function main(): Promise<number> {
  const options = readArguments();
  if (options === undefined) {
    process.stderr.write(usage);
    return EXIT.usage;
  }
  try {
    const settings = withUser(await readOptions(options.settings));
    const clock = systemClock;
    const { report, sha256, reportFiles } = await commission(settings, {
      clock,
      links: serialLinks(clock, { folders: settings.serialFolders }),
      iot: mqttConnector({ host: settings.iotDataEndpoint, port: settings.mqttPort }, clock),
      progress: (step) => process.stderr.write(`${titles[step]} …\n`),
    });
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ outcome: "commissioned", sha256, reportFiles, report })}\n`
        : `${report.thing} is commissioned. The report is in ${reportFiles.join(" and ")}.\n`,
    );
    return EXIT.done;
  } catch (failure) {
    if (!(failure instanceof CommissioningRefused)) throw failure;
    if (options.json)
      process.stdout.write(
        `${JSON.stringify({ outcome: "refused", reason: failure.reason, message: failure.message })}\n`,
      );
    process.stderr.write(`${failure.message}\n`);
    return exits[failure.reason] ?? EXIT.unexpected;
  }
}

/** As root the core device needs to be told; the installer of the nucleus names this user too. */
function withUser(settings: CommissionOptions): CommissionOptions {
  const isRoot = process.getuid?.() === 0;
  return isRoot ? { componentDefaultUser: "ggc_user:ggc_group", ...settings } : settings;
}

function readArguments(): { readonly settings: string; readonly json: boolean } | undefined {
  try {
    const { values } = parseArgs({
      options: { settings: { type: "string" }, json: { type: "boolean", default: false } },
    });
    return values.settings === undefined ? undefined : { settings: values.settings, json: values.json };
  } catch {
    return undefined;
  }
}

main().then(
  (code) => process.exit(code),
  (failure: unknown) => {
    process.stderr.write(`Commissioning failed unexpectedly: ${messageOf(failure)}\n`);
    process.exit(EXIT.unexpected);
  },
);
