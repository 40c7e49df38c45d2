import { lakeColumns } from "@coalmine/contract";
import { EVIDENCE_STREAM, evidenceColumns } from "../../pipeline/evidence/evidence-lake.ts";
import { names } from "../identity/identity.ts";

/** The lake in Glue's catalogue, as AWS and the local cloud have it. */
export const catalogue = { database: "coalmine", workgroup: "coalmine" } as const;

/** Parquet's types as Hive, and so Glue and Athena, call them. */
const hiveTypes = { STRING: "string", INT32: "int", INT64: "bigint", DOUBLE: "double" } as const;
type Columns = readonly { readonly name: string; readonly type: keyof typeof hiveTypes }[];

/** A table of the lake, and the delivery stream that writes it. */
export interface LakeTable {
  /** Its name in the catalogue and its folder in the lake. */
  readonly name: string;
  readonly says: string;
  readonly stream: string;
  readonly glueColumns: readonly { readonly name: string; readonly type: string }[];
}

export const measurements = lakeTable(
  "measurements",
  "Every point, as packages/contract says it",
  names.measurementStream,
  lakeColumns,
);
export const evidence = lakeTable(
  "evidence",
  "What was seen of each device: heartbeats, fleet status, connections, jobs",
  EVIDENCE_STREAM,
  evidenceColumns,
);
export const lakeTables = [measurements, evidence] as const;

function lakeTable(name: string, says: string, stream: string, columns: Columns): LakeTable {
  return {
    name,
    says,
    stream,
    glueColumns: columns.map((column) => ({ name: column.name, type: hiveTypes[column.type] })),
  };
}

/** Where Firehose puts a table's files, and the records that are none of its rows. */
export function deliveryPrefixes({ name }: LakeTable): { readonly prefix: string; readonly errors: string } {
  return {
    prefix: `${name}/dt=!{timestamp:yyyy-MM-dd}/firehose/`,
    errors: "firehose-errors/!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/",
  };
}

/** Firehose makes Parquet of no less than 64 MiB or 15 minutes. */
export const delivery = { mebibytes: 64, seconds: 900 } as const;

/** Days are found by their name and no crawler: the first day of the first device is long past it. */
export function dayPartitions(lakeBucket: string, { name }: LakeTable): Record<string, string> {
  return {
    classification: "parquet",
    "projection.enabled": "true",
    "projection.dt.type": "date",
    "projection.dt.format": "yyyy-MM-dd",
    "projection.dt.range": "2024-01-01,NOW+1DAYS",
    "storage.location.template": `s3://${lakeBucket}/${name}/dt=\${dt}/`,
  };
}
