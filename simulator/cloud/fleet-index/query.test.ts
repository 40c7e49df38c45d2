import { expect, test } from "vitest";
import { type FieldValue, matches, parseQuery } from "./query.ts";

const fields: Readonly<Record<string, readonly FieldValue[]>> = {
  thingName: ["Press-7"],
  thingTypeName: ["press"],
  thingGroupNames: ["hall-a", "canary"],
  "attributes.site": ["leipzig"],
  "attributes.slots": ["12"],
  "connectivity.connected": [true],
  "shadow.reported.battery": [81.5],
  "shadow.reported.note": ["needs new oil"],
  "shadow.reported.path": ["a:b"],
};
const thing = {
  valuesOf: (field: string) => fields[field] ?? [],
  allValues: () => Object.values(fields).flat(),
};
const holds = (query: string) => matches(parseQuery(query), thing);

test.each([
  ["*", true],
  ["thingName:press-7", true],
  ["thingName:press", false],
  ["thingName:press*", true],
  ["thingName:press-?", true],
  ["thingName:*-7", true],
  ["thingTypeName:press thingGroupNames:canary", true],
  ["thingTypeName:press AND thingGroupNames:main", false],
  ["thingTypeName:press OR thingGroupNames:main", true],
  ["NOT thingGroupNames:main", true],
  ["thingGroupNames:(hall* AND -main)", true],
  ["(thingName:x OR thingName:y) AND attributes.site:leipzig", false],
  ["thingName:x OR thingName:y AND attributes.site:leipzig", false],
  ["attributes.site:*", true],
  ["attributes.floor:*", false],
  ["attributes.slots>9", true],
  ["attributes.slots<=12", true],
  ["attributes.slots:[1 TO 12]", true],
  ["attributes.slots:[1 TO 12}", false],
  ["attributes.slots:{12 TO *]", false],
  ["attributes.site>=l", true],
  ["connectivity.connected:true", true],
  ["shadow.reported.battery>81", true],
  ["shadow.reported.note:oil", true],
  ["shadow.reported.note:oi", false],
  ['shadow.reported.note:"new oil"', true],
  ['shadow.reported.note:"oil new"', false],
  ["shadow.reported.path:a\\:b", true],
  ['shadow.reported.path:"a:b"', true],
  ["leipzig", true],
  ["dresden", false],
])("%s is %s", (query, expected) => expect(holds(query)).toBe(expected));

test.each([
  ["", "ends where a term is expected"],
  ["thingName:", "ends where a term is expected"],
  ["(thingName:a", "ends where a term is expected"],
  ["thingName:a)", '")" at 11'],
  ["thingName:a~2", '"~2" at 11'],
  ["thingName:/a.*/", '"/a.*/" at 10'],
  ["deviceDefender.x:1", "deviceDefender.x is no field"],
  ["shadow.reported.place:geo_distance,1", '",1" at'],
  ["thingName:*a thingTypeName:*b", "only one of its terms"],
  [`thingName:*${"a".repeat(100)}`, "at most 100 characters"],
  [Array.from({ length: 13 }, (_, n) => `attributes.a:${n}`).join(" OR "), "more than 12 terms"],
  ["a".repeat(1001), "1001 characters"],
])("what is outside of the subset is refused by name: %s", (query, why) => {
  expect(() => parseQuery(query)).toThrow(
    expect.objectContaining({ code: "InvalidQueryException", message: expect.stringContaining(why) }),
  );
});
