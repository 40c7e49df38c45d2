import { BucketName, KeyPrefix } from "@coalmine/contract";
import * as z from "zod";
import { Encryption } from "./encryption-config.ts";
import { type Sink, type SinkSettings, Sinks, resolveSink } from "./sink-config.ts";
import { wholeWithin, within } from "./within.ts";

const MiB = 2 ** 20;
const TiB = 2 ** 40;
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time of day in UTC, HH:MM");

/** How much may be sent. Without it there is no cap. */
const Bandwidth = z.object({
  bytesPerSecond: within(128, 2 ** 30)
    .optional()
    .describe("Cap of all sinks together, in bodies of requests; without it there is none."),
  alarmShare: within(0.01, 0.9)
    .default(0.2)
    .describe("Kept for alarms, so that they pass a backlog; what they leave is everybody's."),
  schedule: z
    .array(
      z.object({
        fromUtc: timeOfDay.describe("HH:MM."),
        toUtc: timeOfDay.describe("HH:MM; may be on the next day."),
        bytesPerSecond: within(0, 2 ** 30).describe("At 0 only alarms travel."),
      }),
    )
    .max(16)
    .default([])
    .describe("Times of day with another cap; the first that fits counts."),
});
export type Bandwidth = z.infer<typeof Bandwidth>;

/** Points that go before all others, into a log of their own which never gives any up for room. */
const Alarms = z.object({
  badQuality: z.boolean().default(true).describe("Quality `bad` is an alarm."),
  channels: z
    .array(z.string().regex(/^[a-z0-9-]{1,64}$/, "must be a channel: 1 to 64 of a-z, 0-9 and '-'"))
    .max(64)
    .default([])
    .describe("Channels every point of which is an alarm."),
});
export type Alarms = z.infer<typeof Alarms>;

/**
 * The component's configuration; its defaults are the recipe's. Keys it does not know are passed over: a rollback
 * meets the configuration of the newer version.
 */
const Written = z.object({
  bucket: BucketName.default("coalmine-lake").describe("Of S3 sinks that name none."),
  keyPrefix: KeyPrefix.default("measurements").describe("Of the Parquet sink: what every key starts with."),
  flushIntervalSeconds: within(1, 86_400)
    .default(3600)
    .describe("A point waits at most so long before it is sent, while the network is there."),
  batchPointsMax: wholeWithin(500, 500_000).default(100_000).describe("A batch ends at so many points."),
  batchBytesMax: wholeWithin(65_536, 64 * MiB)
    .default(16 * MiB)
    .describe("Or at so many bytes, as the log holds them (about 30 a point)."),
  diskLimitBytes: wholeWithin(4 * MiB, TiB)
    .default(2 ** 30)
    .describe("All that waits: seven eighths readings, one eighth alarms."),
  diskFreeFloorBytes: wholeWithin(0, TiB)
    .default(0)
    .describe("What stays free of the disk whatever waits; alarms alone may go below it."),
  whenFull: z
    .enum(
      ["reject", "overwrite-oldest", "downsample-oldest"],
      "must be reject, overwrite-oldest or downsample-oldest",
    )
    .default("reject")
    .describe(
      "At either limit, for readings: take no new ones, give up the oldest, or thin the oldest out first.",
    ),
  downsampleKeepOneIn: wholeWithin(2, 1000)
    .default(10)
    .describe("Of batches of readings that are thinned out one in so many stays, and whatever a model made."),
  timeToLiveSeconds: within(60, 315_360_000)
    .optional()
    .describe("What is older is given up unsent; stamps before 2024 have no known age."),
  sealAfterSeconds: within(60, 31_536_000)
    .optional()
    .describe(
      "A segment of the log is sealed at this age: then it can be given up by age, and the next takes the newest key.",
    ),
  encryption: Encryption.optional().describe(
    "Encrypts what waits on the disk; without it, it lies in the clear.",
  ),
  alarms: Alarms.prefault({}),
  bandwidth: Bandwidth.prefault({}),
  sinks: Sinks.prefault({ lake: { kind: "s3-parquet" } }).describe(
    "1 to 8 places that points go to, by name; each takes every point, from its start on, at its own pace.",
  ),
  healthIntervalSeconds: within(1, 3600).default(60).describe("How often health is told on the local topic."),
});

/** What a sink leaves out is filled in from the component's own keys. */
export const Config = Written.transform(({ sinks, ...config }) => ({
  ...config,
  sinks: new Map<string, SinkSettings>(
    Object.entries(sinks).map(([name, sink]: [string, Sink]) => [name, resolveSink(sink, config)]),
  ),
}));
export type Config = z.infer<typeof Config>;

const VALUE_LENGTH_MAX = 80;

/** The configuration, or the one sentence that says why it cannot be: at start, on update and on validation alike. */
export function parseConfig(value: unknown): { readonly config: Config } | { readonly problem: string } {
  const parsed = Config.safeParse(value ?? {});
  if (parsed.success) return { config: parsed.data };
  const issues = parsed.error.issues.map((issue) => {
    const key = issue.path.length === 0 ? "configuration" : issue.path.join(".");
    return `${key} = ${shown(at(value, issue.path), isSecret(issue.path))}: ${issue.message}`;
  });
  return { problem: `stream-uploader cannot run with this configuration: ${issues.join("; ")}` };
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}

/** Somebody may have put a key itself where its place belongs. */
function isSecret(path: readonly PropertyKey[]): boolean {
  return path[0] === "encryption" && path[1] !== "currentKey";
}

function shown(value: unknown, isHidden: boolean): string {
  if (isHidden && value !== undefined) return "(not shown)";
  return value === undefined ? "(absent)" : JSON.stringify(value).slice(0, VALUE_LENGTH_MAX);
}
