import { arch, release, type } from "node:os";
import { parseArgs } from "node:util";
import { serialLinks } from "@coalmine/device/serial-links";
import { messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { commission, type CommissionPorts, type Step } from "./commission.ts";
import { networkPorts } from "./network-ports.ts";
import { readOptions } from "./options.ts";
import { withUser } from "./default-user.ts";
import { CommissioningRefused, type RefusalReason } from "./refusal.ts";
import { Visit } from "./report/visit.ts";

/** The technician's program. What was done is kept: after a refusal or a power cut it is simply run again. */
const usage = `usage: commissioning/main.ts --settings FILE [--technician NAME] [--room ROOM] [--asset NUMBER]
         [--language en|es|pt|it|de] [--time-zone ZONE] [--console-url URL] [--wait] [--json]
  FILE is JSON: serial, site, root, claimCodeFile, claimEndpoint, rootCaFile, region, the endpoints, serialFolders.
  --wait: where it ended offline, tries each minute until the device has its identity.
  The others stand in the report and on the label.
`;
const EXIT = { done: 0, unexpected: 1, usage: 2, permission: 6, conflict: 7, unreachable: 8 } as const;
const RETRY_MS = 60_000;
const exits: Readonly<Partial<Record<RefusalReason, number>>> = {
  settings: EXIT.usage,
  "claim-refused": EXIT.permission,
  "claim-expired": EXIT.permission,
  "code-wrong": EXIT.permission,
  "code-used": EXIT.permission,
  "too-many-codes": EXIT.permission,
  "not-allowed": EXIT.permission,
  "file-modes": EXIT.permission,
  "wrong-authority": EXIT.unreachable,
  unreachable: EXIT.unreachable,
  "no-serial-port": EXIT.conflict,
  "silent-instrument": EXIT.conflict,
  "port-taken": EXIT.conflict,
  nucleus: EXIT.conflict,
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
    const ports: CommissionPorts = {
      clock,
      links: serialLinks(clock, { folders: settings.serialFolders }),
      ...networkPorts(settings, clock),
      progress: (step) => process.stderr.write(`${titles[step]} …\n`),
      versions: { node: process.versions.node, system: `${type()} ${release()} ${arch()}` },
    };
    let done = await commission(settings, ports, options.visit);
    while (done.pending && options.wait) {
      process.stderr.write(`No network yet; the next try is in ${RETRY_MS / 1000} s.\n`);
      await clock.sleep(RETRY_MS);
      done = await commission(settings, ports, options.visit);
    }
    const { report, sha256, reportFiles, pending } = done;
    process.stdout.write(
      options.json
        ? `${JSON.stringify({ outcome: pending ? "pending" : "commissioned", sha256, reportFiles, report })}\n`
        : `${report.thing} is ${pending ? "tested; its identity is pending: run this again with --wait where there is a network" : "commissioned"}. The report is in ${reportFiles.join(" and ")}.\n`,
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

interface Arguments {
  readonly settings: string;
  readonly json: boolean;
  readonly wait: boolean;
  readonly visit: Visit;
}

function readArguments(): Arguments | undefined {
  try {
    const { values } = parseArgs({
      options: {
        settings: { type: "string" },
        technician: { type: "string" },
        room: { type: "string" },
        asset: { type: "string" },
        language: { type: "string" },
        "time-zone": { type: "string" },
        "console-url": { type: "string" },
        json: { type: "boolean", default: false },
        wait: { type: "boolean", default: false },
      },
    });
    const { settings, json, wait, "time-zone": timeZone, "console-url": consoleUrl, ...said } = values;
    return settings === undefined
      ? undefined
      : { settings, json, wait, visit: Visit.parse({ ...said, timeZone, consoleUrl }) };
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
