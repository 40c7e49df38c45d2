import type { JsonObject, JsonValue } from "@coalmine/ports";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { noShadow, updated } from "../../cloud/shadows/document.ts";
import { patchOfState, threeWay } from "./three-way.ts";

const json = fc.letrec<{ value: JsonValue; object: JsonObject }>((tie) => ({
  value: fc.oneof(fc.nat(2), fc.constant(true), fc.array(fc.nat(2), { maxLength: 2 }), tie("object")),
  object: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { maxKeys: 3 }),
})).object;

test("the update that is sent makes the one document of the other [core-device-8.29]", () => {
  fc.assert(
    fc.property(json, json, (from, to) => {
      const patch = patchOfState({ desired: from }, { desired: to });
      const before = updated(noShadow, { desired: from }, 0);
      const after = patch["desired"] === undefined ? before : updated(before, patch, 1);
      expect(after.desired).toEqual(to);
      expect(patchOfState({ desired: to }, { desired: to })).toEqual({});
    }),
    { numRuns: 500 },
  );
});

test("what one side alone changed is kept, and where both did the owner has its way [core-device-8.29]", () => {
  fc.assert(
    fc.property(json, json, (base, changed) => {
      expect(threeWay(base, changed, base)).toEqual(changed);
      expect(threeWay(base, base, changed)).toEqual(changed);
    }),
    { numRuns: 500 },
  );
  expect(threeWay({ a: 1, b: 1 }, { a: 2, b: 1 }, { a: 3, b: 1, c: 4 })).toEqual({ a: 2, b: 1, c: 4 });
});
