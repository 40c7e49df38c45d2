import { expect, test } from "vitest";
import { pathsNamed, reachedBy } from "./reached.ts";

const reached = (changed: string[], sources: Record<string, string>): string[] =>
  [...reachedBy(changed, new Map(Object.entries(sources)))].sort();

test("a change reaches whoever imports it, and whoever imports them", () => {
  const sources = {
    "packages/contract/src/ids.ts": "",
    "packages/contract/src/index.ts": 'export * from "./ids.ts";',
    "pipeline/plan.ts": 'import { Id } from "@coalmine/contract";',
    "cli/main.ts": 'import { plan } from "../pipeline/plan.ts";',
    "cli/other.ts": 'import { join } from "node:path";',
  };
  expect(reached(["packages/contract/src/ids.ts"], sources)).toEqual([
    "cli/main.ts",
    "packages/contract/src/ids.ts",
    "packages/contract/src/index.ts",
    "pipeline/plan.ts",
  ]);
  expect(reached(["pipeline/plan.ts"], sources)).toEqual(["cli/main.ts", "pipeline/plan.ts"]);
});

test.each([
  'import type { A } from "./a.ts";',
  'export { A } from "./a.ts";',
  'import "./a.ts";',
  'const a = await import("./a.ts");',
  'type A = import("./a.ts").A;',
  'declare module "./a.ts" {}',
  'const a = await vi.importActual<typeof import("./a.ts")>("./a.ts");',
  "import {\n  A,\n} from './a.ts';",
  'import { A } from "./a";',
  'import { A } from "../b/a.ts";',
])("%s names the file", (text) => {
  expect(reached(["b/a.ts"], { "b/c.ts": text })).toContain("b/c.ts");
});

test("a file that is gone still reaches who imports it, and circles end", () => {
  expect(
    reached(["a/gone.ts"], {
      "a/b.ts": 'import "./c.ts"; import "./gone.ts";',
      "a/c.ts": 'import "./b.ts";',
    }),
  ).toEqual(["a/b.ts", "a/c.ts", "a/gone.ts"]);
});

test("a workspace's module is its source of that name", () => {
  expect(pathsNamed("cli/a.ts", 'import { x } from "@coalmine/runtime/system-clock";')).toContain(
    "packages/runtime/src/system-clock.ts",
  );
  expect(pathsNamed("cli/a.ts", 'import { x } from "@coalmine/sensor-reader/config";')).toContain(
    "components/sensor-reader/src/config.ts",
  );
});
