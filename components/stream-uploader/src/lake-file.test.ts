import { gzipSync } from "node:zlib";
import { lakeColumns, type Measurement } from "@coalmine/contract";
import { nodeCrypto } from "@coalmine/device/crypto";
import { parquetMetadata } from "hyparquet";
import { expect, test } from "vitest";
import { decodePoints, encodePoints } from "./batch-record.ts";
import { bytesOf, curve } from "./device.fixture.ts";
import { LakeRows } from "./lake-file.ts";

function file(points: readonly Measurement[]): Uint8Array {
  const rows = new LakeRows("thing-1");
  const columns = decodePoints(encodePoints(points));
  for (let at = 0; at < points.length; at++) rows.add(columns, at);
  return rows.toParquet({ "coalmine.thing": "thing-1" }, nodeCrypto);
}

test("the same rows give the same bytes", () => {
  for (const points of [1, 300, 5000]) expect(file(curve(1, 1, points))).toEqual(file(curve(1, 1, points)));
});

test("columns have the lake's names in order, and the encodings chosen for them", () => {
  const metadata = parquetMetadata(bytesOf(file(curve(1, 1, 5000))));
  expect(metadata.schema.slice(1).map(({ name }) => name)).toEqual(lakeColumns.map(({ name }) => name));
  const encodings = Object.fromEntries(
    (metadata.row_groups[0]?.columns ?? []).map(({ meta_data }) => [
      meta_data?.path_in_schema[0],
      meta_data?.encodings.at(-1),
    ]),
  );
  expect(encodings).toMatchObject({
    instrument: "RLE_DICTIONARY",
    sequence: "DELTA_BINARY_PACKED",
    sample_time_ms: "BYTE_STREAM_SPLIT",
    value: "BYTE_STREAM_SPLIT",
    input_from: "DELTA_BINARY_PACKED",
  });
});

test("points of an instrument of 12 bits take at most a quarter of their gzipped JSON lines", () => {
  const points = curve(1, 1, 5000).map((point) => ({ ...point, value: Math.round(point.value * 512) / 512 }));
  const lines = points.map((point) => JSON.stringify({ thing: "thing-1", ...point })).join("\n");
  expect(file(points).length * 4).toBeLessThan(gzipSync(lines).length);
});
