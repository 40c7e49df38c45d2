import { lakeColumns } from "@coalmine/contract";

/** The lake in Glue's catalogue, as AWS and the local cloud have it. */
export const catalogue = { database: "coalmine", table: "measurements", workgroup: "coalmine" } as const;

/** Parquet's types as Hive, and so Glue and Athena, call them. */
const hiveTypes = { STRING: "string", INT32: "int", INT64: "bigint", DOUBLE: "double" } as const;

/** The columns that the contract says. */
export const glueColumns = lakeColumns.map(({ name, type }) => ({ name, type: hiveTypes[type] }));

/** Days are found by their name and no crawler: the first day of the first device is long past it. */
export function dayPartitions(lakeBucket: string): Record<string, string> {
  return {
    classification: "parquet",
    "projection.enabled": "true",
    "projection.dt.type": "date",
    "projection.dt.format": "yyyy-MM-dd",
    "projection.dt.range": "2024-01-01,NOW+1DAYS",
    "storage.location.template": `s3://${lakeBucket}/measurements/dt=\${dt}/`,
  };
}

/** Questions that people ask of the lake first; the same SQL runs on the laptop's Parquet files. */
export const savedQueries = {
  "latest results by device": `select thing, instrument, channel, max(sample_time_ms) as latest_ms, count(*) as results
from measurements where dt >= '2024-01-01' and model_sha256 is not null
group by thing, instrument, channel order by thing, instrument, channel`,
  "readings that came twice": `select instrument, boot, sequence, channel, count(*) as times
from measurements where dt >= '2024-01-01'
group by instrument, boot, sequence, channel having count(*) > 1 order by times desc limit 100`,
  "bad readings by cause": `select thing, quality_cause, count(*) as readings
from measurements where dt >= '2024-01-01' and quality = 'bad'
group by thing, quality_cause order by readings desc limit 100`,
} as const;
