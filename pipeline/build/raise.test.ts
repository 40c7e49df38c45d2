import { ReleasedVersion } from "./released.ts";
import { expect, test } from "vitest";
import { raise } from "./raise.ts";

function version(number: string, digest = "a", artifacts: Record<string, string> = { "linux-x64": "1" }) {
  return ReleasedVersion.parse({
    component: "plant.Reader",
    version: number,
    recipe: digest.repeat(64),
    artifacts: Object.fromEntries(Object.entries(artifacts).map(([name, each]) => [name, each.repeat(64)])),
  });
}

test("what is as it was released stays", () => {
  expect(raise([version("1.0.0")], version("1.0.0"))).toEqual({ kind: "unchanged" });
});

test("a build for one platform is compared with that platform alone", () => {
  const both = version("1.0.0", "a", { "linux-x64": "1", "linux-arm64": "2" });
  expect(raise([both], version("1.0.0", "a", { "linux-arm64": "2" }))).toEqual({ kind: "unchanged" });
  expect(raise([both], version("1.0.0", "a", { "linux-arm64": "3" }))).toEqual({
    kind: "raise",
    to: "1.0.1",
    because: ["artifact for linux-arm64"],
  });
});

test("what differs gets the patch above the highest ever released, whatever its source says", () => {
  const list = [version("1.0.0"), version("1.0.9", "b"), version("1.0.10", "c")];
  expect(raise(list, version("1.0.9", "f"))).toEqual({ kind: "raise", to: "1.0.11", because: ["recipe"] });
});

test("a version that is new or raised by hand is taken as it is", () => {
  expect(raise([], version("1.0.0"))).toEqual({ kind: "append" });
  expect(raise([version("1.0.0")], version("2.0.0"))).toEqual({ kind: "append" });
});

test("a version below what was released is refused, with what to do", () => {
  expect(() => raise([version("1.2.0")], version("1.1.0"))).toThrow(
    /1\.1\.0, below 1\.2\.0.*take its version from main/,
  );
});

test("a patch beyond what Greengrass counts is refused", () => {
  expect(() => raise([version("1.0.999999")], version("1.0.999999", "f"))).toThrow(/has no next patch/);
});
