import { resolve } from "node:path";
import type { Command } from "commander";
import { systemClock } from "@coalmine/runtime/system-clock";
import { examine } from "../../commissioning/doctor/doctor.ts";
import type { Finding } from "../../commissioning/doctor/finding.ts";
import { exitCodes } from "../exit-codes.ts";
import type { Places } from "../system/state.ts";
import { statedRights } from "./stated-rights.ts";

const signs = { ok: "ok  ", failed: "FAIL", "not checked": "?   " } as const;
const exits = {
  permission: exitCodes.permission,
  unreachable: exitCodes.unreachable,
  other: exitCodes.unexpected,
} as const;

export function addDeviceCommands(program: Command, at: Places): void {
  program
    .command("doctor")
    .description(
      "look at this core device: identity, clock, network, room, and the rights that components need",
    )
    .option("--root <folder>", "the core device's folder", "/greengrass/v2")
    .option("--serial-folder <folder...>", "names that lead to serial ports", ["/dev/serial/by-id"])
    .option("--json", "one line of JSON")
    .action(async (options: { root: string; serialFolder: string[]; json?: true }) => {
      const findings = await examine({
        root: resolve(options.root),
        serialFolders: options.serialFolder.map((folder) => resolve(folder)),
        needed: statedRights(at.root),
        clock: systemClock,
      });
      if (options.json) console.log(JSON.stringify({ findings }));
      else for (const finding of findings) console.log(lineOf(finding));
      const worst = findings.find((finding) => finding.state === "failed");
      process.exitCode = worst === undefined ? exitCodes.done : exits[worst.kind];
    });
}

function lineOf(finding: Finding): string {
  const line = `${signs[finding.state]}  ${finding.check}: ${finding.sentence}`;
  return finding.state === "ok" ? line : `${line}\n        ${finding.remedy}`;
}
