import { expect, test } from "vitest";
import { onlyReads } from "./reads.ts";

const request = (method: string, target?: string) => ({
  method,
  rawPath: "/",
  rawQuery: "",
  headers: target === undefined ? {} : { "x-amz-target": target },
  body: new Uint8Array(),
});

test("reads are told from changes by method, or by operation where everything is a POST", () => {
  expect(onlyReads(request("GET"))).toBe(true);
  expect(onlyReads(request("PUT"))).toBe(false);
  expect(onlyReads(request("POST"))).toBe(false);
  expect(onlyReads(request("POST", "DynamoDB_20120810.Query"))).toBe(true);
  expect(onlyReads(request("POST", "DynamoDB_20120810.PutItem"))).toBe(false);
  expect(onlyReads(request("POST", "Logs_20140328.FilterLogEvents"))).toBe(true);
  expect(onlyReads(request("POST", "Logs_20140328.PutLogEvents"))).toBe(false);
});
