import * as z from "zod";

/**
 * The component's configuration; its defaults are the recipe's. Keys it does not know are passed over: a rollback
 * meets the configuration of the newer version.
 */
export const Config = z.object({
  /** The lake's bucket. The device's role must allow s3:PutObject below the prefix. */
  bucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "must be a bucket name: 3 to 63 of a-z, 0-9, '.' and '-'")
    .default("coalmine-lake"),
  /** What every key starts with, without a slash at its ends. */
  keyPrefix: z
    .string()
    .regex(
      /^[A-Za-z0-9_.=-]+(\/[A-Za-z0-9_.=-]+)*$/,
      "must be path parts of A-Z a-z 0-9 _ . = -, joined by '/'",
    )
    .max(200)
    .default("measurements"),
  /** A point waits at most this long before it is uploaded, while the network is there. */
  flushIntervalSeconds: z.number().min(1).max(86_400).default(3600),
  /** One upload holds at most about this many points, and bytes as the log holds them (about 30 a point). */
  batchPointsMax: z.int().min(500).max(500_000).default(100_000),
  batchBytesMax: z
    .int()
    .min(65_536)
    .max(64 * 2 ** 20)
    .default(16 * 2 ** 20),
  /** What waits for upload may take this much of the disk. */
  diskLimitBytes: z
    .int()
    .min(4 * 2 ** 20)
    .max(2 ** 40)
    .default(2 ** 30),
  /** At the limit: take no new points (their publishers keep them), or give up the oldest. */
  whenFull: z.enum(["reject", "overwrite-oldest"]).default("reject"),
  /** How often the component tells its own health on its local topic. */
  healthIntervalSeconds: z.number().min(1).max(3600).default(60),
});
export type Config = z.infer<typeof Config>;

/** The configuration, or the one sentence that says why it cannot be: at start, on update and on validation alike. */
export function parseConfig(value: unknown): { readonly config: Config } | { readonly problem: string } {
  const parsed = Config.safeParse(value ?? {});
  if (parsed.success) return { config: parsed.data };
  const issues = parsed.error.issues.map(
    (issue) => `${issue.path.length === 0 ? "configuration" : issue.path.join(".")}: ${issue.message}`,
  );
  return { problem: `stream-uploader cannot run with this configuration: ${issues.join("; ")}` };
}
