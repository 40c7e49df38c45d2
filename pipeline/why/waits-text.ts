import type { UpdateWait } from "@coalmine/contract/update-wait";

const whatRuns: Readonly<Record<UpdateWait["for"], string>> = { sample: "sample" };

/** What an update waits for, and that nobody has to do anything. */
export function waitsText({ for: what, sinceMs }: UpdateWait): string {
  const [day, time = ""] = new Date(sinceMs).toISOString().split("T");
  return `its update waits for the ${whatRuns[what]} that has been running on it since ${day} ${time.slice(0, 5)} UTC, and goes on by itself`;
}
