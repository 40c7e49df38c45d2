import type { RunProgram } from "@coalmine/site/program";
import { CommissioningRefused } from "../refusal.ts";
import type { RotationParts } from "./rotate.ts";

/** The core device as a unit of systemd. */
export function service(run: RunProgram, unit: string): RotationParts["core"] {
  const systemctl = async (verb: "stop" | "start"): Promise<void> => {
    const { code, stderr } = await run("systemctl", [verb, unit]);
    if (code !== 0)
      throw new CommissioningRefused(
        "nucleus",
        `systemctl ${verb} ${unit} ends with ${code} (${stderr.trim()}); name the core device's unit with --service, mend it, and run this again: what was done is kept`,
      );
  };
  return { stop: () => systemctl("stop"), start: () => systemctl("start") };
}
