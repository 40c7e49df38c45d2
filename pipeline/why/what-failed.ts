import { failureOf, type DeviceTally, type Tally } from "../evidence/tally.ts";
import { CAUSE_LENGTH_MAX } from "./troubles.ts";

/** Devices that are named; the others are counted. */
const NAMED_MAX = 5;

const failures: Readonly<Record<NonNullable<ReturnType<typeof failureOf>>, string>> = {
  crashLoop: "components start again and again",
  silent: "connected, and no heartbeat came",
  unhealthy: "a component says nothing any more",
};

/** How devices failed at a moment, and which: a sentence for each way. */
export function whatFailed(tally: Tally, things: readonly string[], atMs: number): string[] {
  const byWay = new Map<string, string[]>();
  for (const thing of things.toSorted()) {
    const failure = failureOf(tally[thing], atMs);
    if (failure === undefined) continue;
    const way = wayOf(tally[thing]) ?? failures[failure];
    byWay.set(way, [...(byWay.get(way) ?? []), thing]);
  }
  return [...byWay]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([way, on]) => {
      const more = on.length - NAMED_MAX;
      const named = `${on.slice(0, NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
      return `${way} on ${named}; \`coalmine device logs ${on[0] ?? ""}\` has its last lines`;
    });
}

/** What the nucleus itself said of it. */
function wayOf(device: DeviceTally | undefined): string | undefined {
  const broken = device?.status?.broken ?? [];
  const { status = "", reason } = device?.job ?? {};
  const hasFailed = ["FAILED", "REJECTED", "TIMED_OUT"].includes(status);
  const parts = [
    ...(broken.length === 0 ? [] : [`${broken.join(", ")} BROKEN`]),
    ...(hasFailed
      ? [`the deployment ${status}${reason === undefined ? "" : ` ("${reason.slice(0, CAUSE_LENGTH_MAX)}")`}`]
      : []),
  ];
  return parts.length === 0 ? undefined : parts.join(" and ");
}
