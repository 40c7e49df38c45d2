import { expect, test } from "vitest";
import * as z from "zod";
import { components, pages, readPage, rowsOf, withTable } from "./config-table.ts";

test.each(Object.keys(pages))(
  "%s has its table as the schema has it (run `npm run config-tables`)",
  (page) => {
    expect(readPage(page)).toBe(withTable(page));
  },
);

test("each key says what it does", () => {
  const silent = Object.entries(pages).flatMap(([page, schema]) =>
    rowsOf(schema).flatMap(({ key, what }) => (what === "" ? [`${page}: ${key}`] : [])),
  );
  expect(silent).toEqual([]);
});

test("types, ranges and defaults are those of the schema", () => {
  const row = (component: string, key: string) =>
    rowsOf(components[component] ?? z.never())
      .filter((one) => one.key === key)
      .map(({ kinds, range, fallback }) => [...kinds, range, fallback]);
  expect(row("stream-uploader", "downsampleKeepOneIn")).toEqual([["whole number, 2 to 1,000", "`10`"]]);
  expect(row("stream-uploader", "sinks.<name>.recordBytesMax")).toEqual([
    ["kinesis", "whole number, 4,096 to 10,485,760", "`1048576`"],
    ["firehose", "whole number, 4,096 to 1,024,000", "`1024000`"],
  ]);
  expect(row("stream-uploader", "sinks.<name>.catchUp")).toEqual([
    ["`oldest-first`, `newest-first`", '`"oldest-first"`'],
  ]);
  // Behind a transformation.
  expect(row("log-manager", "periodicUploadIntervalSec")).toEqual([["0.1 to 86400 seconds", "`300`"]]);
  expect(row("inference", "model.sha256")).toEqual([["text as `^[0-9a-f]{64}$`", "required"]]);
});
