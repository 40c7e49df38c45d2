import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as z from "zod";
import type { ServiceTable, ShapeRow } from "./table.ts";

/**
 * `npm run constraints -- FOLDER` writes the tables beside this file out of AWS's public API models, as the Python
 * package `botocore` ships them in `botocore/data` (Apache-2.0): `pip download --no-deps botocore==1.44.5`, unzip, and
 * give that folder. Facts only: operations, members, lengths, ranges, patterns and enumerations.
 */
const SOURCE = "botocore 1.44.5";

/** The models' folders, by the name in credential scopes. */
const folders: Readonly<Record<string, string>> = {
  greengrass: "greengrassv2",
  iot: "iot",
  iotdata: "iot-data",
  "iot-jobs-data": "iot-jobs-data",
  logs: "logs",
  dynamodb: "dynamodb",
  kinesis: "kinesis",
  firehose: "firehose",
  codepipeline: "codepipeline",
  monitoring: "cloudwatch",
  events: "events",
  secretsmanager: "secretsmanager",
  glue: "glue",
  servicequotas: "service-quotas",
  sns: "sns",
  sts: "sts",
  iam: "iam",
};

/** Of the largest models only what is served. */
const only: Readonly<Record<string, readonly string[]>> = {
  glue: ["CreateDatabase", "CreateTable", "DeleteTable", "GetDatabase", "GetTable", "UpdateTable"],
};

const Member = z.object({ shape: z.string() });
const Shape = z.object({
  type: z.string(),
  min: z.number().optional(),
  max: z.number().optional(),
  pattern: z.string().optional(),
  enum: z.array(z.string()).optional(),
  members: z.record(z.string(), Member).optional(),
  required: z.array(z.string()).optional(),
  member: Member.optional(),
  key: Member.optional(),
  value: Member.optional(),
});
const Model = z.object({
  metadata: z.object({
    apiVersion: z.string(),
    targetPrefix: z.string().optional(),
    jsonVersion: z.string().optional(),
  }),
  operations: z.record(
    z.string(),
    z.object({
      http: z.object({ method: z.string(), requestUri: z.string(), responseCode: z.number().optional() }),
      input: Member.optional(),
    }),
  ),
  shapes: z.record(z.string(), Shape),
});
type Model = z.infer<typeof Model>;

function tableOf({ metadata, operations, shapes }: Model, served?: readonly string[]): ServiceTable {
  const rows: Record<string, ShapeRow> = {};
  const known = new Map<string, ShapeRow | undefined>();
  /** The row of a shape that constrains something, itself or by what it holds. A shape within itself adds nothing. */
  const rowOf = (name: string): ShapeRow | undefined => {
    if (known.has(name)) return known.get(name);
    known.set(name, undefined);
    const {
      type,
      min,
      max,
      pattern,
      enum: values,
      members = {},
      member,
      key,
      value,
    } = shapes[name] ?? { type: "" };
    const held = Object.entries(members).filter(([, { shape }]) => rowOf(shape) !== undefined);
    const item = member ?? value;
    const row: ShapeRow = {
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
      ...(pattern !== undefined && isPattern(pattern) ? { pattern } : {}),
      ...(values === undefined ? {} : { values }),
      ...(held.length === 0
        ? {}
        : { members: Object.fromEntries(held.map(([own, { shape }]) => [own, shape])) }),
      ...(item !== undefined && rowOf(item.shape) !== undefined ? { item: item.shape } : {}),
      ...(type === "map" && key !== undefined && rowOf(key.shape) !== undefined ? { key: key.shape } : {}),
    };
    const constrains = Object.keys(row).length > 0;
    if (constrains) {
      rows[name] = row;
      known.set(name, row);
    }
    return constrains ? row : undefined;
  };
  const listed = Object.entries(operations)
    .filter(([operation]) => served?.includes(operation) ?? true)
    .map(([operation, { http, input }]) => {
      const shape = input === undefined ? undefined : shapes[input.shape];
      if (input !== undefined) rowOf(input.shape);
      return [
        operation,
        {
          http: [http.method, http.requestUri, http.responseCode ?? 200] as const,
          ...(input === undefined ? {} : { input: input.shape }),
          members: Object.keys(shape?.members ?? {}).sort(),
          required: [...(shape?.required ?? [])].sort(),
        },
      ] as const;
    });
  return {
    source: `${SOURCE}, API version ${metadata.apiVersion}`,
    ...(metadata.targetPrefix === undefined ? {} : { targetPrefix: metadata.targetPrefix }),
    ...(metadata.jsonVersion === undefined ? {} : { jsonVersion: metadata.jsonVersion }),
    operations: Object.fromEntries(listed),
    shapes: Object.fromEntries(Object.entries(rows).sort(([one], [other]) => (one < other ? -1 : 1))),
  };
}

/** The models are written for Java: what JavaScript cannot read, or what lets everything through, is left out. */
function isPattern(pattern: string): boolean {
  if (/^[\^]?(?:\.|\[\\s\\S\]|\[\^\]|\(\.\|\\n\))[*+]\$?$/.test(pattern)) return false;
  try {
    return new RegExp(pattern, "u") instanceof RegExp;
  } catch {
    return false;
  }
}

function read(folder: string): Model {
  const version = readdirSync(folder).sort().at(-1) ?? "";
  const bytes = readFileSync(join(folder, version, "service-2.json.gz"));
  return Model.parse(JSON.parse(gunzipSync(bytes).toString("utf8")));
}

/** A line for each operation and shape, so that a change of the model is a change of its lines. */
function text(table: ServiceTable): string {
  const lines = (rows: object): string =>
    Object.entries(rows)
      .map(([name, row]) => `    ${JSON.stringify(name)}: ${JSON.stringify(row)}`)
      .join(",\n");
  const { operations, shapes, ...head } = table;
  return `{\n  ${JSON.stringify(head).slice(1, -1)},\n  "operations": {\n${lines(operations)}\n  },\n  "shapes": {\n${lines(shapes)}\n  }\n}\n`;
}

const [models] = process.argv.slice(2);
if (models === undefined) {
  process.stderr.write("usage: npm run constraints -- FOLDER, where FOLDER is botocore/data\n");
  process.exitCode = 2;
} else
  for (const [service, folder] of Object.entries(folders))
    writeFileSync(
      join(import.meta.dirname, `${service}.json`),
      text(tableOf(read(join(models, folder)), only[service])),
    );
