import { BucketName, KeyPrefix } from "@coalmine/contract";
import * as z from "zod";
import { PATTERN_LENGTH_MAX, patternFault } from "./linear-pattern.ts";
import { presetNames } from "./redaction-presets.ts";

/** AWS's own documents write booleans and numbers as text; both are taken. */
const flag = z
  .union([z.boolean(), z.enum(["true", "false"])], "true or false is needed")
  .transform((value) => value === true || value === "true");
const number = (min: number, max: number, unit: string) =>
  z
    .union(
      [z.number(), z.string().regex(/^\d+(\.\d+)?$/, `a number from ${min} to ${max} ${unit} is needed`)],
      `a number from ${min} to ${max} ${unit} is needed`,
    )
    .transform(Number)
    .refine((value) => value >= min && value <= max, `${min} to ${max} ${unit} are allowed`)
    .meta({ range: `${min} to ${max} ${unit}` });
const pattern = z.string("a regular expression is needed").superRefine((text, context) => {
  const fault = patternFault(text);
  if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
});
const levels = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;
const level = z.enum(levels, `one of ${levels.join(", ")} is needed`);
const units = ["KB", "MB", "GB"] as const;
const unitBytes = { KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;
const SIZE_MAX = 1_048_576_000;

const shared = {
  minimumLogLevel: level
    .default("INFO")
    .describe("Events below it are filtered; one whose level cannot be told is kept."),
  diskSpaceLimit: number(0, SIZE_MAX, "units")
    .optional()
    .describe("Soft limit: beyond it the oldest files that are wholly uploaded are removed."),
  diskSpaceLimitUnit: z
    .enum(units, `one of ${units.join(", ")} is needed`)
    .default("KB")
    .describe("Unit of both disk limits; 1 KB is 1024 bytes."),
  deleteLogFileAfterCloudUpload: flag
    .default(false)
    .describe("Removes a rotated file once all of it is uploaded."),
  diskSpaceHardLimit: number(0, SIZE_MAX, "units")
    .optional()
    .describe(
      "Ours. Hard limit: beyond it the oldest rotated files go also unsent, counted as lost; holds offline.",
    ),
};

const ComponentLogs = z.object({
  ...shared,
  logFileRegex: pattern
    .optional()
    .describe(
      "Of file names, with or without `.gz` or `.zst` behind; the default takes the component's active and rotated logs.",
    ),
  logFileDirectoryPath: z
    .string("an absolute path is needed")
    .startsWith("/", "an absolute path is needed")
    .optional()
    .describe("The folder of the files; the default is Greengrass's own `logs`."),
  multiLineStartPattern: pattern
    .optional()
    .describe("A line in which it is found opens an event; others belong to the event before them."),
  multiLinePreset: z
    .enum(["dated", "stackTrace"], "one of dated, stackTrace is needed")
    .default("dated")
    .describe(
      "Ours, where there is no pattern. `dated`: a line opens an event by a date or `{`. `stackTrace`: every line does, but indented ones and what Node, Java and Python print in a trace.",
    ),
  levelPattern: pattern
    .optional()
    .describe("Ours. Its group 1 (or whole match) is the level of an event that is not JSON."),
});

const NamedComponentLogs = ComponentLogs.extend({
  componentName: z
    .string("the component's name is needed")
    .min(1, "the component's name is needed")
    .describe("Whose logs these are."),
});

const retentions = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;
const nameTemplate = (allowed: RegExp, what: string) =>
  z
    .string(what)
    .refine(
      (template) =>
        allowed.test(template.replaceAll(/\{(componentType|region|componentName|thingName|date)\}/g, "x")),
      what,
    );

const tagKey = /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const tagValue = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;

const CloudWatch = z
  .strictObject({
    logGroupName: nameTemplate(
      /^[.\-_/#A-Za-z0-9]{1,512}$/,
      "1 to 512 of letters, digits and . - _ / # and the places {componentType}, {region}, {componentName}, {thingName} are allowed",
    )
      .default("/aws/greengrass/{componentType}/{region}/{componentName}")
      .describe("Name of the log group; the default is LogManager's."),
    logStreamName: nameTemplate(
      /^[^:*{}\n]{1,512}$/,
      "1 to 512 characters without : and *, and the places {date}, {thingName}, {componentName} are allowed",
    )
      .default("/{date}/thing/{thingName}")
      .describe("Name of the log stream; `{date}` is the event's in UTC. The default is LogManager's."),
    retentionDays: z
      .literal(retentions, `one of ${retentions.join(", ")} days is needed`)
      .optional()
      .describe("Retention of the log groups that log-manager creates; none by default."),
    kmsKeyId: z
      .string("a key's ARN is needed")
      .max(256, "at most 256 characters are allowed")
      .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/, "a key's ARN is needed")
      .optional()
      .describe("KMS key of the log groups that it creates."),
    logGroupClass: z
      .enum(["STANDARD", "INFREQUENT_ACCESS"], "one of STANDARD, INFREQUENT_ACCESS is needed")
      .optional()
      .describe("Class of the log groups that it creates."),
    tags: z
      .record(z.string(), z.string())
      .refine(
        (tags) => Object.keys(tags).length >= 1 && Object.keys(tags).length <= 50,
        "1 to 50 tags are allowed",
      )
      .refine(
        (tags) => Object.entries(tags).every(([key, value]) => tagKey.test(key) && tagValue.test(value)),
        "keys of 1 to 128 and values of up to 256 letters, digits, spaces and _.:/=+-@ are allowed, keys without aws: in front",
      )
      .optional()
      .describe("Tags of the log groups that it creates."),
    eventBytesMax: number(1024, 1_048_576, "bytes")
      .default(262_144)
      .describe("Size of one event with its 26 bytes of overhead; longer ones go in parts `[part k/n]`."),
    requestsPerSecond: number(0.1, 100, "requests a second")
      .default(10)
      .describe(
        "PutLogEvents of all sources, repeated tries included; of an idle second as many may go at once, one at least.",
      ),
  })
  .prefault({})
  .describe("Ours. Where events go.");

const Redaction = z
  .strictObject({
    presets: z
      .array(z.enum(presetNames, `one of ${presetNames.join(", ")} is needed`))
      .default(["bearerToken", "pemBlock"])
      .describe(
        "What is found by name: e-mail and IP addresses, bearer tokens, PEM blocks, medical record numbers.",
      ),
    patterns: z
      .array(
        z.strictObject({
          name: z
            .string("a name is needed")
            .regex(/^[A-Za-z][A-Za-z0-9]{0,31}$/, "1 to 32 letters and digits are allowed")
            .describe("Stands in the place of what was found, as `[name]`."),
          pattern: pattern.describe(`RE2 syntax, at most ${PATTERN_LENGTH_MAX} characters.`),
        }),
      )
      .max(50, "at most 50 patterns are allowed")
      .default([])
      .describe("Own expressions."),
  })
  .prefault({})
  .describe("Ours. What is replaced before anything leaves memory.");

const DeadLetters = z
  .strictObject({
    bucket: BucketName.describe("In the device's region; its role must be allowed `s3:PutObject` there."),
    prefix: KeyPrefix.default("dead-letters").describe(
      "What keys begin with; behind it stand `dt=`, `thing=` and a name that follows from the content.",
    ),
    afterMinutes: number(1, 10_080, "minutes")
      .default(60)
      .describe("A file goes when it is full, and at this age however full it is."),
  })
  .optional()
  .describe("Ours. Puts what the service rejects to S3 too; without it, it stays on the device.");

/**
 * The same keys as `aws.greengrass.LogManager`, so that its deployment documents work unchanged, and ours beside them.
 * @see https://docs.aws.amazon.com/greengrass/v2/developerguide/log-manager-component.html
 */
const Written = z.object({
  logsUploaderConfiguration: z
    .object({
      systemLogsConfiguration: z
        .object({
          uploadToCloudWatch: flag.default(false).describe("Whether the nucleus's own log is uploaded."),
          ...shared,
        })
        .optional(),
      componentLogsConfigurationMap: z
        .record(z.string(), ComponentLogs)
        .default({})
        .describe("By component name."),
      componentLogsConfiguration: z
        .array(NamedComponentLogs)
        .default([])
        .describe("The older shape: a list. A component that is in both is taken from the map."),
    })
    .prefault({}),
  periodicUploadIntervalSec: number(0.1, 86_400, "seconds")
    .default(300)
    .describe(
      "How often all folders are looked at, whatever is told of changes; with live tail, a safety net.",
    ),
  updateToTlogIntervalSec: number(0, 86_400, "seconds")
    .optional()
    .describe(
      "Accepted, without effect: positions are kept in a file of our own, synced at most once a second.",
    ),
  deprecatedVersionSupport: flag.optional().describe("Accepted, without effect."),
  liveTail: flag
    .default(true)
    .describe(
      "Ours. New lines go out as they are written, within 2 s; without it, only at the periodic interval.",
    ),
  liveTailDelaySec: number(0.05, 60, "seconds")
    .default(0.2)
    .describe("Ours. How long changes are gathered before they are read."),
  multiLineFlushTimeoutSec: number(0.1, 300, "seconds")
    .default(1)
    .describe("Ours. How long a file must stay as it is before its last event counts as complete."),
  partialLineTimeoutSec: number(0.1, 3600, "seconds")
    .default(5)
    .describe("Ours. How long a line without its end is held before it is shown, marked `[partial]`."),
  cloudWatch: CloudWatch,
  redaction: Redaction,
  eventIds: flag
    .default(false)
    .describe(
      "Ours. Adds `eid`, a hash of file and offset, to events that are JSON, so that a repeat can be told.",
    ),
  publishLocally: flag
    .default(false)
    .describe("Ours. Publishes new events on the local topic `coalmine/logs/<component>`, bounded."),
  deadLetters: DeadLetters,
  deadLetterLimitKB: number(0, 1_048_576, "KB")
    .default(10_240)
    .describe("Ours. Disk for events that the service rejects; beyond it the oldest go."),
  healthIntervalSeconds: z
    .number("1 to 3600 seconds are allowed")
    .min(1, "1 to 3600 seconds are allowed")
    .max(3600, "1 to 3600 seconds are allowed")
    .default(60)
    .describe("Ours. How often health is published."),
});
/** Letters go to S3 by way of the disk. */
export const Config = Written.refine(
  ({ deadLetters, deadLetterLimitKB }) => deadLetters === undefined || deadLetterLimitKB >= 1,
  { path: ["deadLetterLimitKB"], message: "at least 1 KB is needed where deadLetters is set" },
);
export type Config = z.infer<typeof Config>;
export type LogLevelName = z.infer<typeof level>;
export const levelNames: readonly LogLevelName[] = levels;

/** One set of log files and where its lines go. */
export interface LogSource {
  readonly component: string;
  readonly componentType: "UserComponent" | "GreengrassSystemComponent";
  readonly folder: string;
  readonly fileName: string;
  readonly minimumLevel: LogLevelName;
  readonly softLimitBytes: number | undefined;
  readonly hardLimitBytes: number | undefined;
  readonly deleteAfterUpload: boolean;
  readonly multiLine:
    | { readonly kind: "dated" }
    | { readonly kind: "stackTrace" }
    | { readonly kind: "pattern"; readonly pattern: string };
  readonly levelPattern: string | undefined;
}

/** The sources that a configuration names. `root` is Greengrass's own folder. */
export function sources(config: Config, root: string): LogSource[] {
  const {
    systemLogsConfiguration: system,
    componentLogsConfigurationMap,
    componentLogsConfiguration,
  } = config.logsUploaderConfiguration;
  const source = (
    component: string,
    logs: z.infer<typeof ComponentLogs>,
    componentType: LogSource["componentType"],
    file: string,
  ): LogSource => {
    const bytes = (limit: number | undefined): number | undefined =>
      limit === undefined ? undefined : limit * unitBytes[logs.diskSpaceLimitUnit];
    return {
      component,
      componentType,
      folder: logs.logFileDirectoryPath ?? `${root}/logs`,
      fileName: logs.logFileRegex ?? `^${file.replaceAll(/[.\-+]/g, String.raw`\$&`)}\\w*\\.log$`,
      minimumLevel: logs.minimumLogLevel,
      softLimitBytes: bytes(logs.diskSpaceLimit),
      hardLimitBytes: bytes(logs.diskSpaceHardLimit),
      deleteAfterUpload: logs.deleteLogFileAfterCloudUpload,
      multiLine:
        logs.multiLineStartPattern === undefined
          ? { kind: logs.multiLinePreset }
          : { kind: "pattern", pattern: logs.multiLineStartPattern },
      levelPattern: logs.levelPattern,
    };
  };
  const byName = new Map(
    componentLogsConfiguration.map(({ componentName, ...logs }) => [componentName, logs] as const),
  );
  for (const [name, logs] of Object.entries(componentLogsConfigurationMap)) byName.set(name, logs);
  const systemDefaults = { multiLinePreset: "dated" } as const;
  return [
    ...(system?.uploadToCloudWatch === true
      ? [source("System", { ...systemDefaults, ...system }, "GreengrassSystemComponent", "greengrass")]
      : []),
    ...[...byName].map(([name, logs]) => source(name, logs, "UserComponent", name)),
  ];
}
