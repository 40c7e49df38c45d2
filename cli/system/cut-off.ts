import { systemClock } from "@coalmine/runtime/system-clock";
import { killIfThere, startedBelow } from "../../simulator/fleet/process/process-tree.ts";
import { MARK as PROCESS_MARK } from "../../simulator/fleet/process/supervised-process.ts";
import { findRunning, forgetRunning, MARK, SystemError, wasCutOff, type Places } from "./state.ts";

const GONE_MS_MAX = 10_000;
const LOOK_MS = 50;

/**
 * Before a system starts: refuses where one runs, and where the last one was cut off ends what it left running and
 * gives how many processes that were.
 */
export async function endCutOff(at: Places): Promise<number | undefined> {
  const other = findRunning(at);
  if (other !== undefined)
    throw new SystemError(
      "ERR_ALREADY_RUNNING",
      `a system runs already with the state in ${at.state} (process ${other.pid}); use it, or end it with \`coalmine down\``,
    );
  if (!wasCutOff(at)) return undefined;
  const ended = new Set<number>();
  const deadline = systemClock.monotonicMs() + GONE_MS_MAX;
  // Looked for again after each round: one may start another while it is being ended.
  for (let left = await leftOf(at); left.length > 0; left = await leftOf(at)) {
    if (systemClock.monotonicMs() > deadline)
      throw new SystemError(
        "ERR_STILL_RUNNING",
        `the last system was cut off, and its processes ${left.join(", ")} do not end; look at what they wait for in /proc`,
      );
    for (const pid of left) {
      ended.add(pid);
      killIfThere(pid);
    }
    await systemClock.sleep(LOOK_MS);
  }
  forgetRunning(at);
  return ended.size;
}

/** Regions and stages carry the system's mark; core devices, components and instruments that of their fleet. */
async function leftOf(at: Places): Promise<readonly number[]> {
  return [...(await startedBelow(MARK, at.state)), ...(await startedBelow(PROCESS_MARK, at.state))];
}
