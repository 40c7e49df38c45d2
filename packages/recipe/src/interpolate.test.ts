import { expect, test } from "vitest";
import { interpolate, type InterpolationContext } from "./index.ts";

const configurations: Record<string, { [key: string]: string | number | { x: number[]; "a/b": null } }> = {
  own: { text: "hello", number: 5, tree: { x: [7, 8], "a/b": null }, nested: "{work:path}" },
  base: { text: "of base" },
  stranger: { text: "secret" },
};
const context: InterpolationContext = {
  component: "own",
  configuration: (component) => configurations[component],
  artifactsPath: (component) => `/gg/packages/artifacts/${component}/1.0.0`,
  decompressedPath: (component) => `/gg/packages/artifacts-unarchived/${component}/1.0.0`,
  workPath: (component) => `/gg/work/${component}`,
  kernelRootPath: "/gg",
  thingName: "press-1",
  directDependencies: new Set(["base", "base.with.points"]),
};

test.each([
  ["{artifacts:path}", "/gg/packages/artifacts/own/1.0.0"],
  ["{artifacts:decompressedPath}/x", "/gg/packages/artifacts-unarchived/own/1.0.0/x"],
  ["{work:path}", "/gg/work/own"],
  ["{kernel:rootPath} {iot:thingName}", "/gg press-1"],
  ["{configuration:/text}", "hello"],
  ["{configuration:/number}", "5"],
  ["{configuration:/tree}", '{"x":[7,8],"a/b":null}'],
  ["{configuration:/tree/x/1}", "8"],
  ["{configuration:/tree/a~1b}", "null"],
  ["{base:configuration:/text}", "of base"],
  [
    "{base.with.points:artifacts:decompressedPath}",
    "/gg/packages/artifacts-unarchived/base.with.points/1.0.0",
  ],
])("%s becomes %s [core-device-12.13]", (text, expected) => {
  expect(interpolate(text, context)).toBe(expected);
});

test.each([
  "{configuration:/missing}",
  "{configuration:text}",
  "{configuration:/tree/x/9}",
  "{configuration:/tree/x/01}",
  "{configuration:/toString}",
  "{stranger:configuration:/text}",
  "{own:work:path}",
  "{work:Path}",
  "{unknown:key}",
  "{ work:path }",
  "${HOME} {} {a}",
])("%s stays as it is [core-device-12.13]", (text) => {
  expect(interpolate(text, context)).toBe(text);
});

test("every text at any depth is interpolated once, keys and other values are not [core-device-12.13]", () => {
  expect(
    interpolate(
      { "{work:path}": ["{iot:thingName}", 5, { deep: "a {configuration:/nested} b" }], on: true },
      context,
    ),
  ).toEqual({ "{work:path}": ["press-1", 5, { deep: "a {work:path} b" }], on: true });
});
