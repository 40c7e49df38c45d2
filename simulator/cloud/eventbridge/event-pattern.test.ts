import { expect, test } from "vitest";
import { eventPattern, PatternFault } from "./event-pattern.ts";

const event = {
  source: "aws.s3",
  "detail-type": "Object Created",
  resources: ["arn:aws:s3:::lake"],
  detail: { bucket: { name: "lake" }, object: { key: "raw/a.json", size: 120 }, tag: null, flag: true },
};
const detail = (pattern: object) => ({ detail: pattern });

test.each([
  [{ source: ["aws.s3"] }, true],
  [{ source: ["aws.ec2", "aws.s3"], "detail-type": ["Object Created"] }, true],
  [{ source: ["aws.ec2"] }, false],
  [{ resources: [{ suffix: ":::lake" }] }, true],
  [detail({ bucket: { name: ["lake"] } }), true],
  [detail({ bucket: ["lake"] }), false],
  [detail({ object: { key: [{ prefix: "raw/" }] } }), true],
  [detail({ object: { key: [{ prefix: { "equals-ignore-case": "RAW/" } }] } }), true],
  [detail({ object: { key: [{ suffix: ".csv" }] } }), false],
  [detail({ object: { key: [{ wildcard: "raw/*.json" }] } }), true],
  [detail({ object: { key: [{ wildcard: "*/a*b*.json" }] } }), false],
  [detail({ object: { key: [{ wildcard: "raw/a.json*a.json" }] } }), false],
  [detail({ object: { key: [{ "anything-but": ["raw/b.json"] }] } }), true],
  [detail({ object: { key: [{ "anything-but": { prefix: "raw/" } }] } }), false],
  [detail({ object: { key: [{ "anything-but": { suffix: [".csv", ".txt"] } }] } }), true],
  [detail({ object: { key: [{ "equals-ignore-case": "RAW/A.JSON" }] } }), true],
  [detail({ object: { size: [{ numeric: [">", 100, "<=", 120] }] } }), true],
  [detail({ object: { size: [{ numeric: ["=", 121] }] } }), false],
  [detail({ object: { size: ["120"] } }), false],
  [detail({ object: { version: [{ exists: false }] } }), true],
  [detail({ object: { key: [{ exists: false }] } }), false],
  [detail({ object: { key: [{ exists: true }] } }), true],
  [detail({ object: { version: [{ "anything-but": "x" }] } }), false],
  [detail({ tag: [null], flag: [true] }), true],
  [{ $or: [{ source: ["aws.ec2"] }, { "detail-type": [{ prefix: "Object" }] }] }, true],
  [{ $or: [{ source: ["aws.ec2"] }, { "detail-type": ["x"] }] }, false],
  [detail({ constructor: [{ exists: true }] }), false],
])("%j: %s", (pattern, expected) => {
  expect(eventPattern(JSON.stringify(pattern))(event)).toBe(expected);
});

test.each([
  "",
  "[]",
  "{}",
  '{"source": "aws.s3"}',
  '{"source": []}',
  '{"source": [["x"]]}',
  '{"source": [{"regex": "x"}]}',
  '{"source": [{"prefix": 1}]}',
  '{"source": [{"prefix": "a", "suffix": "b"}]}',
  '{"n": [{"numeric": [">"]}]}',
  '{"n": [{"numeric": ["!", 1]}]}',
  '{"n": [{"anything-but": {"numeric": ["=", 1]}}]}',
  '{"$or": {"source": ["x"]}}',
  `${'{"a":'.repeat(40)}["x"]${"}".repeat(40)}`,
])("%s is no pattern", (pattern) => {
  expect(() => eventPattern(pattern)).toThrow(PatternFault);
});
