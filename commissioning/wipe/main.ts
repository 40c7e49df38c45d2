import { parseArgs } from "node:util";
import { messageOf } from "@coalmine/runtime";
import { networkManager } from "@coalmine/site/network-manager";
import { systemProgram } from "@coalmine/site/system-program";
import { readFactorySettings } from "../options.ts";
import { CommissioningRefused, diskRefusal } from "../refusal.ts";
import { wipe } from "./wipe.ts";

/** Takes everything off a device that it knows of its place: after `coalmine device decommission` or `rehome`. */
const usage = `usage: commissioning/wipe/main.ts --settings FILE --serial SERIAL
  FILE is JSON as the maker leaves it. SERIAL is the device's own, typed by hand: identity, code, passphrases, calibrations
  and papers go for good. Stop the core device before (\`systemctl stop greengrass\`). May be run again after a power cut.
`;
const EXIT = { done: 0, unexpected: 1, usage: 2 } as const;

async function main(): Promise<number> {
  const given = argumentsGiven();
  if (given === undefined) {
    process.stderr.write(usage);
    return EXIT.usage;
  }
  const { settings } = await readFactorySettings(given.settings);
  if (given.serial !== settings.serial) {
    process.stderr.write(
      `this device is ${settings.serial}, not ${given.serial}: nothing was removed; look at its label, and say --serial ${settings.serial}\n`,
    );
    return EXIT.usage;
  }
  const parts = { network: networkManager(systemProgram), run: systemProgram };
  const { erased, forgotten, trim } = await wipe(settings, parts).catch((failure: unknown) => {
    throw diskRefusal(failure, settings.root);
  });
  process.stdout.write(
    [
      `${erased.length} files of ${settings.serial} are overwritten and removed; forgotten networks: ${forgotten.join(", ") || "none"}.`,
      trim.kind === "trimmed"
        ? "The medium was told which of its blocks are free; when it erases them is its own matter."
        : `The medium was not told which of its blocks are free (${trim.why}).`,
      "On flash, old blocks can outlive an overwriting: the certificate has to be revoked (`coalmine device decommission` or `rehome`), and a disk that leaves the house to be erased by its controller or destroyed.",
      "",
    ].join("\n"),
  );
  return EXIT.done;
}

function argumentsGiven() {
  try {
    const text = { type: "string" } as const;
    const { settings, serial } = parseArgs({ options: { settings: text, serial: text } }).values;
    return settings === undefined || serial === undefined ? undefined : { settings, serial };
  } catch {
    return undefined;
  }
}

main().then(
  (code) => process.exit(code),
  (failure: unknown) => {
    const said = failure instanceof CommissioningRefused ? failure.sentence : messageOf(failure);
    process.stderr.write(`${said}; run this again: it goes on with what is left\n`);
    process.exit(EXIT.unexpected);
  },
);
