import type { RunProgram } from "@coalmine/site/program";
import type { SetClock } from "../steps/clock-step.ts";

/** By `date`, which every Linux has; the hardware's clock is set with it where there is one. */
export function setSystemClock(run: RunProgram): SetClock {
  return async (to) => {
    const { code, stderr } = await run("date", ["--set", `@${(to / 1000).toFixed(3)}`], {});
    if (code !== 0) throw new Error(stderr.trim() || `date ended with ${code}`);
    // Without a hardware clock there is none to be set: the network's time will do after the next start.
    await run("hwclock", ["--systohc"], {});
  };
}
