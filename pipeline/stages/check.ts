import { execFileSync } from "node:child_process";
import { type CheckStep, runTwoAtATime } from "./two-at-a-time.ts";

/** Folders whose tests stand for the whole: small, and what a release stands on. */
const ALWAYS = [
  "test/tidy.test.ts",
  "packages/recipe",
  "pipeline/policy.test.ts",
  "pipeline/definition.test.ts",
];

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

/** Each is types of its own; a pattern says whose change can break them. Without one they see everything. */
const typeProjects: readonly (readonly [project: string, touchedBy?: RegExp])[] = [
  ["."],
  ["tsconfig.component.json", /^(packages|components)\//],
  ["commissioning/page/client", /^(packages|commissioning)\//],
  ["console", /^(packages\/contract|console)\//],
];

/** The projects whose types a change can break; all of them where it is not known, or what they share changed. */
export function touchedTypes(files: readonly string[]): string[] {
  const isShared = files.length === 0 || files.some((file) => /^(package|tsconfig)\.json$/.test(file));
  return typeProjects
    .filter(([, by]) => isShared || by === undefined || files.some((file) => by.test(file)))
    .map(([project]) => project);
}

/** What lint looks at: the sources that changed. Rules see one file at a time, and types are checked as a whole. */
function lintPaths(changed: readonly string[]): string[] {
  const sources = changed.filter((file) => /\.tsx?$/.test(file));
  return sources.length === 0 ? [ALWAYS_LINTED] : sources;
}

/** Types, lint, the import table, recipes, policy, and the tests of what the push touches. Gives what failed. */
export async function check(folder: string, base: string | undefined): Promise<string[]> {
  const changed =
    base === undefined
      ? []
      : execFileSync("git", ["diff", "--name-only", base, "HEAD"], { cwd: folder, encoding: "utf8" })
          .split("\n")
          .filter(Boolean);
  // The longest first: the other worker has the rest.
  const steps: CheckStep[] = [
    {
      name: `tests of ${touchedTests(changed).join(", ")}`,
      command: [...tool("vitest"), "run", ...touchedTests(changed)],
    },
    ...touchedTypes(changed).map((project) => ({
      name: `types of ${project}`,
      command: [...tool("tsc"), "--noEmit", "--checkers", "2", "-p", project],
    })),
    {
      name: "lint",
      command: [...tool("oxlint"), "--type-aware", "--deny-warnings", ...lintPaths(changed)],
    },
  ];
  return runTwoAtATime(steps, folder);
}

/** What the checkout installed, by this very Node, whatever the environment says of npm. */
function tool(name: string): string[] {
  return [process.execPath, `node_modules/.bin/${name}`];
}
