import * as z from "zod";
import { expect, test } from "vitest";
import { difference, type Shape } from "./shape.ts";

const schema = z.object({
  name: z.string(),
  how: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("a"), count: z.int() }),
    z.object({ kind: z.literal("b"), list: z.array(z.enum(["x", "y"])) }),
  ]),
  by: z.record(z.string(), z.number().nullable()),
  note: z.string().optional(),
});
const shape = z.toJSONSchema(schema, { io: "output" }) as Shape;
const right = { name: "n", how: { kind: "a", count: 1 }, by: { one: 1, none: null } };

test("what the contract's schema takes has its shape, whatever else a newer server adds", () => {
  expect(difference(right, shape)).toBeUndefined();
  expect(
    difference(
      { ...right, new: 1, note: undefined, how: { kind: "b", list: ["x"], more: {} } },
      { ...shape },
    ),
  ).toBeUndefined();
});

test("what differs is named by where it is", () => {
  const wrong: [unknown, string][] = [
    [null, "answer is not object"],
    [{ ...right, name: 4 }, "answer.name is not string"],
    [{ how: right.how, by: {} }, "answer.name is missing"],
    [{ ...right, how: { kind: "a", count: 1.5 } }, "answer.how is none of the kinds that are known"],
    [{ ...right, how: { kind: "b", list: ["z"] } }, "answer.how is none of the kinds that are known"],
    [{ ...right, by: { one: "1" } }, "answer.by.one is not number or null"],
  ];
  for (const [value, sentence] of wrong) {
    expect(schema.safeParse(value).success).toBe(false);
    expect(difference(value, shape)).toBe(sentence);
  }
});
