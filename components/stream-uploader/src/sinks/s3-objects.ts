import type { Crypto, Objects } from "@coalmine/ports";
import { classifyAws } from "@coalmine/runtime";
import type { PointColumns } from "../batch-record.ts";
import { LAKE_FILE_VERSION, LakeRows } from "../lake-file.ts";
import { dayOf, lakeKey } from "../lake-key.ts";
import { pointLine } from "../point-line.ts";
import type { SettingsOf } from "../sink-config.ts";
import type { Parcel, Range, Sink } from "./sink.ts";

/** The version of the JSON lines: part of the key. */
const LINES_VERSION = 1;

/** The points of one UTC day, as they become one object. */
interface Rows {
  readonly rows: number;
  add(points: PointColumns, at: number): void;
  toBytes(): Uint8Array;
}
interface Format {
  readonly ending: string;
  readonly contentType: string;
  rows(range: Range): Rows;
}

export interface S3Parts {
  readonly objects: Objects;
  readonly crypto: Crypto;
  readonly thing: string;
}

/**
 * S3, exactly once: one object for each day of a range, whose key follows from the range, put with If-None-Match. A
 * repeated attempt meets the first one's object and counts as done.
 */
export function s3Sink(parts: S3Parts, settings: SettingsOf<"s3-parquet" | "s3-json-lines">): Sink {
  const { bucket, keyPrefix } = settings;
  const format = settings.kind === "s3-parquet" ? parquet(parts) : jsonLines(parts);
  return {
    target: bucket,
    makesObjects: true,
    classify: (failure) => classifyAws("s3", failure),
    async *parcels(range, records) {
      const days = new Map<number, Rows>();
      for await (const points of records)
        for (let at = 0; at < points.sequence.length; at++) {
          const day = dayOf(points.sampleTimeMs[at] ?? 0);
          let rows = days.get(day);
          if (rows === undefined) {
            rows = format.rows(range);
            days.set(day, rows);
          }
          rows.add(points, at);
        }
      for (const day of [...days.keys()].sort((a, b) => a - b)) {
        const rows = days.get(day) ?? format.rows(range);
        const key = lakeKey({
          prefix: keyPrefix,
          thing: parts.thing,
          range,
          day,
          ending: format.ending,
        });
        const body = rows.toBytes();
        const points = rows.rows;
        // Only the file is wanted from here on, perhaps for weeks.
        days.delete(day);
        yield parcel(parts.objects, bucket, key, body, format.contentType, points);
      }
    },
  };
}

function parcel(
  objects: Objects,
  bucket: string,
  key: string,
  body: Uint8Array,
  contentType: string,
  points: number,
): Parcel {
  return {
    points,
    bytes: body.length,
    name: key,
    send: async () => void (await objects.put({ bucket, key, body, contentType, ifNoneMatch: true })),
    content: () => body,
    halves: () => undefined,
  };
}

function parquet({ thing, crypto }: S3Parts): Format {
  return {
    ending: `v${LAKE_FILE_VERSION}.parquet`,
    contentType: "application/vnd.apache.parquet",
    rows: ({ epoch, first, last }) => {
      const rows = new LakeRows(thing);
      const facts = {
        "coalmine.thing": thing,
        "coalmine.epoch": epoch,
        "coalmine.firstSequence": String(first),
        "coalmine.lastSequence": String(last),
        "coalmine.schemaVersion": String(LAKE_FILE_VERSION),
      };
      return {
        get rows() {
          return rows.rows;
        },
        add: (points, at) => rows.add(points, at),
        toBytes: () => rows.toParquet(facts, crypto),
      };
    },
  };
}

function jsonLines({ thing, crypto }: S3Parts): Format {
  return {
    ending: `v${LINES_VERSION}.jsonl.gz`,
    contentType: "application/gzip",
    rows: () => {
      const lines: string[] = [];
      return {
        get rows() {
          return lines.length;
        },
        add: (points, at) => void lines.push(pointLine(thing, points, at)),
        toBytes: () => crypto.gzip(new TextEncoder().encode(`${lines.join("\n")}\n`)),
      };
    },
  };
}
