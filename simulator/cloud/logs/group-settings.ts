import type { Input } from "../service.ts";
import { invalid } from "./put-log-events.ts";

/** @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html */
const nameRule = /^[.\-_/#A-Za-z0-9]{1,512}$/;
const classes = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"] as const;
type LogGroupClass = (typeof classes)[number];
const keyArn = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/;
const KEY_ID_LENGTH_MAX = 256;
const TAGS_MAX = 50;
const tagKey = /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const tagValue = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;

export interface GroupSettings {
  readonly name: string;
  readonly logGroupClass: LogGroupClass;
  readonly kmsKeyId?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** What CreateLogGroup is asked for. @throws ServiceError for what a field's own rule does not allow. */
export function groupSettings(input: Input): GroupSettings {
  const name = String(input.logGroupName);
  if (!nameRule.test(name))
    throw broken(name, "logGroupName", "satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+");
  const asked: string = input.logGroupClass ?? "STANDARD";
  const logGroupClass = classes.find((known) => known === asked);
  if (logGroupClass === undefined)
    throw broken(asked, "logGroupClass", `satisfy enum value set: [${classes.join(", ")}]`);
  const kmsKeyId: string | undefined = input.kmsKeyId;
  if (kmsKeyId !== undefined && kmsKeyId.length > KEY_ID_LENGTH_MAX)
    throw broken(kmsKeyId, "kmsKeyId", `have length less than or equal to ${KEY_ID_LENGTH_MAX}`);
  if (kmsKeyId !== undefined && !keyArn.test(kmsKeyId))
    throw invalid(`The specified KMS key "${kmsKeyId}" is not the ARN of a key.`);
  const tags: Record<string, string> | undefined = input.tags;
  if (tags !== undefined) checkTags(tags);
  return {
    name,
    logGroupClass,
    ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
    ...(tags === undefined ? {} : { tags }),
  };
}

function checkTags(tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags);
  if (entries.length < 1 || entries.length > TAGS_MAX)
    throw broken(`${entries.length} tags`, "tags", `have length between 1 and ${TAGS_MAX}`);
  for (const [key, value] of entries)
    if (!tagKey.test(key) || !tagValue.test(value))
      throw broken(`${key}=${value}`, "tags", "have keys and values of letters, digits, spaces and _.:/=+-@");
}

function broken(value: string, field: string, rule: string): Error {
  return invalid(
    `1 validation error detected: Value '${value}' at '${field}' failed to satisfy constraint: Member must ${rule}`,
  );
}
