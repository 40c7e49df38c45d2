import { readdirSync, readFileSync, existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";
import { expect, test } from "vitest";

/** Who may import whom. Read this first; it is the architecture. `packages` stands for every package. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "packages/contract": [],
  "packages/ports": ["packages/contract"],
  "packages/runtime": ["packages/contract", "packages/ports"],
  "packages/device": [
    "packages/contract",
    "packages/runtime",
    "packages/ports",
    "packages/ipc",
    "packages/instrument",
  ],
  "packages/recipe": ["packages/contract", "packages/runtime"],
  "packages/instrument": ["packages/contract", "packages/runtime", "packages/ports", "packages/modbus"],
  "packages/modbus": ["packages/contract", "packages/runtime", "packages/ports"],
  "packages/site": ["packages/contract", "packages/runtime", "packages/ports"],
  "packages/ipc": ["packages/contract", "packages/runtime", "packages/ports"],
  "packages/durable-log": ["packages/contract", "packages/runtime", "packages/ports"],
  components: ["packages"],
  recipes: [],
  models: [],
  pipeline: ["packages"],
  simulator: ["packages"],
  infra: ["packages", "pipeline", "api", "commissioning"],
  api: ["packages", "pipeline"],
  console: ["packages/contract"],
  commissioning: ["packages"],
  cli: ["packages", "recipes", "models", "pipeline", "simulator", "infra", "api", "commissioning"],
  test: ["*"],
  bench: ["*"],
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const notOurs = new Set(["node_modules", "dist", "cdk.out", ".coalmine", ".git"]);
const sources = walk("").sort();

test("imports only follow the table", () => {
  expect(files(".ts").flatMap(importsOutsideTheTable)).toEqual([]);
});

test("files end before 400 lines", () => {
  expect(files(".ts").filter((file) => read(file).split("\n").length > 400)).toEqual([]);
});

test("no folder is named for a kind of code", () => {
  const kinds = new Set(["utils", "util", "helpers", "helper", "common", "misc", "types", "lib"]);
  expect(files(".ts").filter((file) => file.split("/").some((part) => kinds.has(part)))).toEqual([]);
});

test("every specification line is cited by a test", () => {
  const tests = files(".test.ts").map(read).join("\n");
  const ids = readdirSync(join(root, "docs/spec")).flatMap((page) =>
    [...read(`docs/spec/${page}`).matchAll(/^\s*[-*] \[([a-z-]+-\d+(?:\.\d+)*)\]/gm)].map(
      (match) => match[1] ?? "",
    ),
  );
  expect(ids.filter((id) => !tests.includes(`[${id}]`))).toEqual([]);
  expect(
    ids.filter((id, index) => ids.indexOf(id) !== index),
    "ids used twice",
  ).toEqual([]);
});

test("no optional dependency asks for a newer Node than a newcomer has", () => {
  // npm on Node 20 drops such a package silently.
  const lock: unknown = JSON.parse(read("package-lock.json"));
  const packages = (lock as { packages: Record<string, { optional?: boolean; engines?: { node?: string } }> })
    .packages;
  const tooNew = Object.entries(packages).filter(
    ([, entry]) =>
      entry.optional === true &&
      />=?\s*(2[1-9]|[3-9]\d)/.test(entry.engines?.node ?? "") &&
      !/\b20\b/.test(entry.engines?.node ?? ""),
  );
  expect(tooNew.map(([name]) => name)).toEqual([]);
});

test("no component reads time or chance but by its ports", () => {
  const banned = /\bnew Date\(\)|\bDate\.now\b|\bMath\.random\b|\bsetTimeout\b|\bsetInterval\b/;
  const inside = files(".ts").filter(
    (file) => /^components\/[^/]+\/src\//.test(file) && !/(\.test|\/main)\.ts$/.test(file),
  );
  expect(inside.filter((file) => banned.test(stripComments(read(file))))).toEqual([]);
});

function importsOutsideTheTable(file: string): string[] {
  const from = place(file);
  // The root's own settings belong to no place.
  if (from === undefined) return [];
  // A test may use whatever proves its subject.
  if (file.endsWith(".test.ts")) return [];
  const allowed = mayImport[from];
  if (allowed === undefined) return [`${file}: the table has no row for ${from}`];
  return imported(file).flatMap((specifier) => {
    const to = specifier.startsWith(".")
      ? place(relative(root, join(root, dirname(file), specifier)))
      : specifier.startsWith("@coalmine/")
        ? packagePlace(specifier)
        : undefined;
    const own =
      from === "components"
        ? file.split("/")[1] === relative(root, join(root, dirname(file), specifier)).split("/")[1]
        : true;
    if (to === undefined || (to === from && own) || allowed.includes("*")) return [];
    const fits = allowed.includes(to) || (to.startsWith("packages/") && allowed.includes("packages"));
    return fits ? [] : [`${file}: ${from} may not import ${specifier}`];
  });
}

function imported(file: string): string[] {
  const { module } = parseSync(file, read(file));
  return [
    ...module.staticImports.map((entry) => entry.moduleRequest.value),
    ...module.staticExports.flatMap((entry) =>
      entry.entries.flatMap((item) => item.moduleRequest?.value ?? []),
    ),
    ...module.dynamicImports.flatMap((entry) => {
      const text = read(file).slice(entry.moduleRequest.start, entry.moduleRequest.end);
      return /^["'].*["']$/.test(text) ? [text.slice(1, -1)] : [];
    }),
  ];
}

function place(file: string): string | undefined {
  const [first = "", second = ""] = file.split("/");
  return first === "packages" ? `packages/${second}` : first.includes(".") ? undefined : first;
}

function packagePlace(specifier: string): string {
  const name = specifier.split("/")[1] ?? "";
  return existsSync(join(root, "packages", name)) ? `packages/${name}` : "components";
}

function files(ending: string): string[] {
  return sources.filter((file) => file.endsWith(ending));
}

/** Every file below a folder but what was installed, built or left there: those trees are a hundred times as large. */
function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return notOurs.has(entry.name) ? [] : walk(path);
  });
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

function stripComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
}
