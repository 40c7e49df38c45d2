import { existsSync } from "node:fs";
import { join } from "node:path";
import { git } from "../push/repository.ts";
import { touchedTypes } from "./touched-types.ts";
import { type CheckStep, runTwoAtATime, tool } from "./two-at-a-time.ts";
import { typeChecks } from "./type-checks.ts";

/** Folders whose tests stand for the whole: small, and what a release stands on. */
const ALWAYS = [
  "test/tidy.test.ts",
  "packages/recipe",
  "pipeline/policy.test.ts",
  "pipeline/definition.test.ts",
];

/** So many failed tests say enough: where a push makes each of them hang, all of them would take an hour. */
const FEW_FAILURES = "--bail=3";

/** Something has to be looked at, or lint would look at everything. */
const ALWAYS_LINTED = "pipeline/definition.ts";

/** The test paths that a change touches: a workspace or a top folder's part each; all of these and nothing else. */
export function touchedTests(files: readonly string[]): string[] {
  const touched = files.flatMap((file) => {
    const [first = "", second = ""] = file.split("/");
    if (
      [
        "packages",
        "components",
        "models",
        "pipeline",
        "simulator",
        "infra",
        "api",
        "cli",
        "commissioning",
        "console",
      ].includes(first) &&
      second !== ""
    )
      // A file of a folder's own has its tests beside it, under the same beginning.
      return [`${first}/${second.replace(/\..*$/, "")}`];
    // A recipe is tested where recipes are rendered.
    return first === "recipes" ? ["pipeline/build/recipes"] : [];
  });
  return [...new Set([...ALWAYS, ...touched])];
}

/** What lint looks at: the sources that changed, and are still there. Rules see one file at a time. */
function lintPaths(folder: string, changed: readonly string[]): string[] {
  const sources = changed.filter((file) => /\.tsx?$/.test(file) && existsSync(join(folder, file)));
  return sources.length === 0 ? [ALWAYS_LINTED] : sources;
}

/** What a push is compared with. */
export interface Base {
  readonly commit: string;
  /** It passed this check, or is what the fleet was set up with. Types elsewhere than where the push reaches hold then. */
  readonly isPublished: boolean;
}

/** Types, lint, the import table, recipes, policy, and the tests of what the push touches. Gives what failed. */
export async function check(folder: string, base: Base | undefined): Promise<string[]> {
  const changed =
    base === undefined
      ? []
      : git(folder, "diff", "--name-only", base.commit, "HEAD").split("\n").filter(Boolean);
  const types = typeChecks(
    folder,
    touchedTypes(folder, base?.isPublished === true ? base.commit : undefined),
  );
  // The longest first: the other worker has the rest.
  const steps: CheckStep[] = [
    {
      name: `tests of ${touchedTests(changed).join(", ")}`,
      command: [...tool("vitest"), "run", FEW_FAILURES, ...touchedTests(changed)],
    },
    ...types.steps,
    {
      name: "lint",
      command: [...tool("oxlint"), "--type-aware", "--deny-warnings", ...lintPaths(folder, changed)],
    },
  ];
  try {
    return await runTwoAtATime(steps, folder);
  } finally {
    types.remove();
  }
}
