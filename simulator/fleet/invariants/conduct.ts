import type { Check } from "../evidence/checks.ts";
import type { Observed } from "./invariants.ts";

/** Everything that a component of ours asks of AWS. */
const allowedCalls: ReadonlySet<string> = new Set([
  "s3 PutObject",
  "logs CreateLogGroup",
  "logs PutRetentionPolicy",
  "logs CreateLogStream",
  "logs PutLogEvents",
  "kinesis PutRecords",
  "firehose PutRecordBatch",
]);
/** A heartbeat a minute, and ten times as much for what nobody foresaw. */
const CLOUD_AN_HOUR_MAX = 600;
/** Batches, acknowledgements and health of a device that catches up with a month. */
const LOCAL_AN_HOUR_MAX = 20_000;
const HOUR_MS = 3_600_000;
const TOLD_MAX = 3;

/** Components publish where they may and not more than there is to say, and call what they may. */
export function conductCheck({
  conduct,
  region,
  beganMs,
}: Pick<Observed, "conduct" | "region" | "beganMs">): Check {
  const hours = Math.max(1, (region.clock.now() - beganMs) / HOUR_MS);
  const wrong = [...conduct.refusals];
  let messages = 0;
  for (const [key, count] of conduct.published) {
    messages += count;
    const [thing = "", component = "", where = "", topic = ""] = key.split(" ");
    const isAllowed =
      where === "cloud" ? topic.startsWith(`coalmine/${thing}/`) : topic.startsWith("coalmine/");
    const most = where === "cloud" ? CLOUD_AN_HOUR_MAX : LOCAL_AN_HOUR_MAX;
    if (!isAllowed) wrong.push(`${component} on ${thing} publishes to ${topic}`);
    if (count / hours > most)
      wrong.push(
        `${component} on ${thing} publishes ${Math.round(count / hours)} messages an hour to ${topic}`,
      );
  }
  for (const call of conduct.calls.keys())
    if (!allowedCalls.has(call)) wrong.push(`a component calls ${call}`);
  const calls = [...conduct.calls.values()].reduce((sum, count) => sum + count, 0);
  return {
    name: "only allowed topics and calls",
    ok: wrong.length === 0,
    found: `${messages} messages, ${calls} calls${wrong
      .slice(0, TOLD_MAX)
      .map((what) => `; ${what}`)
      .join("")}`,
  };
}
