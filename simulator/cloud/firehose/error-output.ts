import type { Instant } from "@coalmine/ports";
import type { Place } from "../service.ts";
import type { Conversion, Failed } from "./conversion.ts";

const TYPE = "format-conversion-failed";
const PLACEHOLDER = "!{firehose:error-output-type}";

/** Where records go that could not be converted. @see https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html */
export function errorPrefixOf(prefix: string, errorPrefix: string | undefined): string {
  if (errorPrefix?.includes(PLACEHOLDER) === true) return errorPrefix.replaceAll(PLACEHOLDER, TYPE);
  return `${errorPrefix ?? prefix}${TYPE}/`;
}

/** A line for each, as AWS writes it. */
export function errorOutput(
  failed: readonly Failed[],
  { SchemaConfiguration: schema }: Conversion,
  place: Place,
  now: Instant,
): Uint8Array {
  const lines = failed.map(({ record, code, why }) =>
    JSON.stringify({
      attemptsMade: 1,
      arrivalTimestamp: now,
      lastErrorCode: code,
      lastErrorMessage: why,
      attemptEndingTimestamp: now,
      rawData: Buffer.from(record).toString("base64"),
      sequenceNumber: "0",
      subSequenceNumber: null,
      dataCatalogTable: {
        catalogId: schema.CatalogId ?? place.accountId,
        databaseName: schema.DatabaseName,
        tableName: schema.TableName,
        region: schema.Region ?? place.region,
        versionId: schema.VersionId,
      },
    }),
  );
  return Buffer.from(`${lines.join("\n")}\n`);
}
