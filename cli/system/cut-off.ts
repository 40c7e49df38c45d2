import { startedWith } from "../../simulator/fleet/process/process-tree.ts";
import { findRunning, forgetRunning, MARK, SystemError, wasCutOff, type Places } from "./state.ts";

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
  const left = await startedWith(MARK, at.state);
  for (const pid of left) killIfThere(pid);
  forgetRunning(at);
  return left.length;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (failure) {
    // It ended meanwhile, with the one that had started it.
    if (!(failure instanceof Error && "code" in failure && failure.code === "ESRCH")) throw failure;
  }
}
