import * as z from "zod";
import { BucketName, KeyPrefix, type Sink, type SinkSettings, Sinks, resolveSink } from "./sink-config.ts";

const MiB = 2 ** 20;
const bytesPerSecond = z.number().max(2 ** 30);
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time of day in UTC, HH:MM");

/** How much may be sent. Without it there is no cap. */
const Bandwidth = z.object({
  bytesPerSecond: bytesPerSecond.min(128).optional(),
  /** Kept for alarms, so that they pass a backlog; what they do not use is everybody's. */
  alarmShare: z.number().min(0.01).max(0.9).default(0.2),
  /** Times of day with another cap, the first that fits; `to` may be on the next day; at 0 only alarms travel. */
  schedule: z
    .array(z.object({ fromUtc: timeOfDay, toUtc: timeOfDay, bytesPerSecond: bytesPerSecond.min(0) }))
    .max(16)
    .default([]),
});
export type Bandwidth = z.infer<typeof Bandwidth>;

/** Points that go before all others, into a log of their own which never gives any up. */
const Alarms = z.object({
  badQuality: z.boolean().default(true),
  /** Channels every point of which is an alarm. */
  channels: z
    .array(z.string().regex(/^[a-z0-9-]{1,64}$/, "must be a channel: 1 to 64 of a-z, 0-9 and '-'"))
    .max(64)
    .default([]),
});
export type Alarms = z.infer<typeof Alarms>;

/**
 * The component's configuration; its defaults are the recipe's. Keys it does not know are passed over: a rollback
 * meets the configuration of the newer version.
 */
const Written = z.object({
  /** The lake's bucket. The device's role must allow s3:PutObject below the prefix. */
  bucket: BucketName.default("coalmine-lake"),
  /** What every key starts with, without a slash at its ends. */
  keyPrefix: KeyPrefix.default("measurements"),
  /** A point waits at most this long before it is uploaded, while the network is there. */
  flushIntervalSeconds: z.number().min(1).max(86_400).default(3600),
  /** One upload holds at most about this many points, and bytes as the log holds them (about 30 a point). */
  batchPointsMax: z.int().min(500).max(500_000).default(100_000),
  batchBytesMax: z
    .int()
    .min(65_536)
    .max(64 * MiB)
    .default(16 * MiB),
  /** What waits for upload may take this much of the disk. */
  diskLimitBytes: z
    .int()
    .min(4 * MiB)
    .max(2 ** 40)
    .default(2 ** 30),
  /** What must stay free of the disk whatever waits. Alarms alone may go below it. */
  diskFreeFloorBytes: z
    .int()
    .min(0)
    .max(2 ** 40)
    .default(0),
  /** At either limit: take no new points (their publishers keep them), or give up the oldest. */
  whenFull: z.enum(["reject", "overwrite-oldest"]).default("reject"),
  /** What is older is given up instead of sent. Without it nothing grows too old. */
  timeToLiveSeconds: z.number().min(60).max(315_360_000).optional(),
  alarms: Alarms.prefault({}),
  bandwidth: Bandwidth.prefault({}),
  /** Where points go, by name; each takes every point, at its own pace. A new one starts with what comes from then on. */
  sinks: Sinks.prefault({ lake: { kind: "s3-parquet" } }),
  /** How often the component tells its own health on its local topic. */
  healthIntervalSeconds: z.number().min(1).max(3600).default(60),
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
    return `${key} = ${shown(at(value, issue.path))}: ${issue.message}`;
  });
  return { problem: `stream-uploader cannot run with this configuration: ${issues.join("; ")}` };
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}

function shown(value: unknown): string {
  return value === undefined ? "(absent)" : JSON.stringify(value).slice(0, VALUE_LENGTH_MAX);
}
