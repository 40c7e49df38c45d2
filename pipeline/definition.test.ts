import { expect, test } from "vitest";
import * as z from "zod";
import { declaration, pipelineName, stages } from "./definition.ts";

const shape = z.object({
  stages: z.array(
    z.object({
      name: z.string(),
      actions: z.array(z.object({ name: z.string(), runOrder: z.number().optional() })),
    }),
  ),
});

test("main goes through every stage, in the order of the definition", () => {
  const names = shape.parse(declaration("main", "SUPERSEDED")).stages.map(({ name }) => name);
  expect(names).toEqual(["Source", ...stages.map(({ name }) => name)]);
});

test("another branch ends after the rehearsal: nothing of it is published", () => {
  const names = shape.parse(declaration("try/new-filter", "SUPERSEDED")).stages.map(({ name }) => name);
  expect(names).toEqual(["Source", "Check", "Build", "Rehearse"]);
  expect(pipelineName("try/new-filter")).toBe("coalmine-try-new-filter");
});

test("nothing is built or checked before its packages are installed", () => {
  const check = shape.parse(declaration("main", "SUPERSEDED")).stages.find(({ name }) => name === "Check");
  expect(check?.actions).toEqual([
    { name: "Install", runOrder: 1 },
    { name: "Check", runOrder: 2 },
  ]);
});
