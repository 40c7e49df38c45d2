import { execFileSync, spawn } from "node:child_process";

/** What a check runs at a time; the pushing machine has two cores at least. */
const AT_ONCE = 2;

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
  const steps: { name: string; command: string[] }[] = [
    { name: "types", command: ["npm", "run", "-s", "types"] },
    {
      name: `tests of ${touchedTests(changed).join(", ")}`,
      command: [...tool("vitest"), "run", ...touchedTests(changed)],
    },
    {
      name: "lint",
      command: [...tool("oxlint"), "--type-aware", "--deny-warnings", ...lintPaths(changed)],
    },
  ];
  const failures: string[] = [];
  const worker = async (): Promise<void> => {
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
      const began = performance.now();
      const { code, output } = await run(step.command, folder);
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`${code === 0 ? "ok" : "FAILED"} after ${seconds} s: ${step.name}`);
      if (code === 0) continue;
      console.log(output);
      failures.push(step.name);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return failures;
}

/** What the checkout installed, by this very Node, whatever the environment says of npm. */
function tool(name: string): string[] {
  return [process.execPath, `node_modules/.bin/${name}`];
}

function run([program = "", ...words]: string[], cwd: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, words, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString("utf8")).slice(-20_000);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", (failure) => resolve({ code: 127, output: failure.message }));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
