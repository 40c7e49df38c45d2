import { expect, test } from "vitest";
import { checkout } from "../build/fixture-checkout.ts";
import { checkLicences, isAllowed } from "./licences.ts";
import { packagesOf } from "./locked-packages.ts";
import { noticeOf } from "./notice.ts";

test.each([
  ["MIT", true],
  ["GPL-3.0-only", false],
  ["(MIT OR CC0-1.0)", true],
  ["GPL-2.0-only OR MIT", true],
  ["MIT OR GPL-2.0-only", true],
  ["MIT AND GPL-2.0-only", false],
  ["(GPL-2.0-only AND MIT) OR (BSD-3-Clause AND ISC)", true],
  ["GPL-2.0-only WITH Classpath-exception-2.0", false],
  ["SEE LICENSE IN LICENSE.md", false],
  ["UNLICENSED", false],
  ["(MIT", false],
  ["", false],
])("the licence %j is allowed: %s", (expression, allowed) => {
  expect(isAllowed(expression)).toBe(allowed);
});

test("a library that may not be in an artifact is refused with its name, its licence and what to do", () => {
  const [zod] = packagesOf(checkout, ["node_modules/zod/v4/core/core.js"]);
  if (zod === undefined) throw new Error("zod is not in the lockfile");
  expect(() => checkLicences("coalmine.Inference", [zod])).not.toThrow();
  expect(() => checkLicences("coalmine.Inference", [{ ...zod, licence: "AGPL-3.0-only" }])).toThrow(
    /coalmine\.Inference would contain zod [\d.]+ \(AGPL-3\.0-only\), and only 0BSD, .*take another library/,
  );
  expect(() => checkLicences("coalmine.Inference", [{ ...zod, licence: undefined }])).toThrow(
    /no licence stated/,
  );
});

test("a package within a package is told apart from one beside it, and what it needs is found as Node finds it", () => {
  const stream = "node_modules/@serialport/stream";
  const [outer, inner] = packagesOf(checkout, [
    `${stream}/node_modules/debug/src/common.js`,
    `${stream}/dist/index.js`,
  ]);
  expect([outer?.name, inner?.name]).toEqual(["@serialport/stream", "debug"]);
  expect(outer?.needs).toContain(`${stream}/node_modules/debug`);
  expect(() => packagesOf(checkout, ["node_modules/never-installed/index.js"])).toThrow(
    /package-lock\.json has no version of node_modules\/never-installed/,
  );
});

test("the notice holds each text once and names each package, also one that comes without its text", () => {
  const packages = packagesOf(checkout, [
    "node_modules/zod/index.js",
    "node_modules/onnxruntime-common/x.js",
    "node_modules/aws-crt/x.js",
    "node_modules/aws-iot-device-sdk-v2/x.js",
    "packages/contract/src/index.ts",
  ]);
  const notice = noticeOf(checkout, "coalmine.Inference", packages);
  for (const { name, version } of packages.filter(({ isOurs }) => !isOurs))
    expect(notice).toContain(`${name} ${version} (`);
  expect(notice.match(/TERMS AND CONDITIONS FOR USE, REPRODUCTION/g)).toHaveLength(1);
  expect(notice).toContain("Copyright (c) Microsoft Corporation");
  expect(notice).not.toContain("@coalmine/contract");
  const nobody = packages.find(({ name }) => name === "onnxruntime-common");
  if (nobody === undefined) throw new Error("onnxruntime-common is not in the lockfile");
  expect(() => noticeOf(checkout, "coalmine.Inference", [{ ...nobody, name: "nobody" }])).toThrow(
    /nobody [\d.]+ is under MIT and comes without the text/,
  );
});
