import * as z from "zod";

/** AWS's own documents write booleans and numbers as text; both are taken. */
const flag = z
  .union([z.boolean(), z.enum(["true", "false"])])
  .transform((value) => value === true || value === "true");
const count = z.union([
  z.number(),
  z
    .string()
    .regex(/^\d+(\.\d+)?$/)
    .transform(Number),
]);
const level = z.enum(["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]);
const unitBytes = { KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;

const shared = {
  minimumLogLevel: level.default("INFO"),
  diskSpaceLimit: count.optional(),
  diskSpaceLimitUnit: z.enum(["KB", "MB", "GB"]).default("KB"),
  deleteLogFileAfterCloudUpload: flag.default(false),
};

const ComponentLogs = z.object({
  ...shared,
  /** Of file names; the default takes the component's active and rotated logs. */
  logFileRegex: z.string().refine(isRegularExpression, "not a regular expression").optional(),
  logFileDirectoryPath: z.string().startsWith("/", "an absolute path is needed").optional(),
});

/**
 * The same keys as `aws.greengrass.LogManager`, so that its deployment documents work unchanged.
 * @see https://docs.aws.amazon.com/greengrass/v2/developerguide/log-manager-component.html
 */
export const Config = z.object({
  logsUploaderConfiguration: z
    .object({
      systemLogsConfiguration: z.object({ ...shared, uploadToCloudWatch: flag.default(false) }).optional(),
      componentLogsConfigurationMap: z.record(z.string(), ComponentLogs).default({}),
    })
    .default({ componentLogsConfigurationMap: {} }),
  periodicUploadIntervalSec: count
    .refine((seconds) => seconds >= 0.1 && seconds <= 86_400, "0.1 to 86400 seconds")
    .default(300),
  healthIntervalSeconds: z.number().min(1).max(3600).default(60),
});
export type Config = z.infer<typeof Config>;

export type LogLevelName = z.infer<typeof level>;

/** One set of log files and where its lines go. */
export interface LogSource {
  readonly component: string;
  readonly componentType: "UserComponent" | "GreengrassSystemComponent";
  readonly folder: string;
  readonly fileName: RegExp;
  readonly minimumLevel: LogLevelName;
  readonly diskLimitBytes: number | undefined;
  readonly deleteAfterUpload: boolean;
}

/** The sources that a configuration names. `root` is Greengrass's own folder. */
export function sources(config: Config, root: string): LogSource[] {
  const { systemLogsConfiguration: system, componentLogsConfigurationMap: components } =
    config.logsUploaderConfiguration;
  const source = (
    component: string,
    logs: z.infer<typeof ComponentLogs>,
    type: LogSource["componentType"],
    file: string,
  ): LogSource => ({
    component,
    componentType: type,
    folder: logs.logFileDirectoryPath ?? `${root}/logs`,
    fileName: new RegExp(logs.logFileRegex ?? `^${file.replaceAll(/[.-]/g, String.raw`\$&`)}\\w*\\.log$`),
    minimumLevel: logs.minimumLogLevel,
    diskLimitBytes:
      logs.diskSpaceLimit === undefined
        ? undefined
        : logs.diskSpaceLimit * unitBytes[logs.diskSpaceLimitUnit],
    deleteAfterUpload: logs.deleteLogFileAfterCloudUpload,
  });
  return [
    ...(system?.uploadToCloudWatch === true
      ? [source("System", system, "GreengrassSystemComponent", "greengrass")]
      : []),
    ...Object.entries(components).map(([name, logs]) => source(name, logs, "UserComponent", name)),
  ];
}

function isRegularExpression(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}
