import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { ZipError, zipEntries } from "./zip.ts";

const text = (value: string) => new TextEncoder().encode(value);

test("a ZIP's stored and deflated entries come out as they went in [core-device-3.3]", () => {
  const zip = zipSync({
    "a.txt": [text("a".repeat(5000)), { level: 6 }],
    "d/b.txt": [text("b"), { level: 0 }],
  });
  const read = zipEntries(zip).map((entry) => [entry.name, new TextDecoder().decode(entry.bytes())]);
  expect(read).toEqual([
    ["a.txt", "a".repeat(5000)],
    ["d/b.txt", "b"],
  ]);
});

test.each(["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:/evil"])(
  "an entry named %s is refused [core-device-3.4]",
  (name) => {
    expect(() => zipEntries(zipSync({ [name]: text("x") }))).toThrow(ZipError);
  },
);

test("a damaged entry is refused, not extracted [core-device-3.3]", () => {
  const zip = zipSync({ "a.txt": [text("some bytes that matter"), { level: 0 }] });
  zip[40] = (zip[40] ?? 0) ^ 1;
  expect(() => zipEntries(zip).map((entry) => entry.bytes())).toThrow(ZipError);
});
