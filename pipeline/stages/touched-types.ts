import { readFileSync } from "node:fs";
import { join, matchesGlob, posix } from "node:path";
import * as z from "zod";
import { readJson } from "../build/read-json.ts";
import { git, GitError } from "../push/repository.ts";
import { installKey } from "./install.ts";
import { reachedBy } from "./reached.ts";

/** Each is types of its own; together they see every source. */
const projects = [
  "tsconfig.json",
  "tsconfig.component.json",
  "commissioning/page/client/tsconfig.json",
  "console/tsconfig.json",
];

/** Where the types of one project can be broken: anywhere, or in these files alone. */
export interface TouchedTypes {
  readonly project: string;
  readonly files: "all" | readonly string[];
}

/** A source that begins a line so says something to others, which do not name it. Written for git and for us. */
const AMBIENT = "^ *declare (global|module)";
const Project = z.looseObject({ include: z.array(z.string()), exclude: z.array(z.string()) });
const Package = z.record(z.string(), z.unknown());

/**
 * Where a push can break types that hold in `base`: in what changed, and in whatever imports it. An error has no other
 * way to travel, but where something holds for all: settings, installed packages, declarations of modules.
 */
export function touchedTypes(folder: string, base: string | undefined): TouchedTypes[] {
  const everything = projects.map((project): TouchedTypes => ({ project, files: "all" }));
  if (base === undefined) return everything;
  const lines = (...words: string[]): string[] =>
    git(folder, ...words)
      .split("\n")
      .filter(Boolean);
  const diff = ["diff", "--name-only", "--no-renames"];
  const changed = lines(...diff, base, "HEAD");
  if (changed.some((file) => holdsForAll(folder, base, file))) return everything;
  if (lines(...diff, "-G", AMBIENT, base, "HEAD").length > 0) return everything;
  const sources = new Map(
    lines("ls-files", "*.ts", "*.tsx").map((file) => [file, readFileSync(join(folder, file), "utf8")]),
  );
  const isAmbient = new RegExp(AMBIENT, "m");
  const ambient = [...sources].flatMap(([file, text]) =>
    file.endsWith(".d.ts") || isAmbient.test(text) ? [file] : [],
  );
  const reached = reachedBy(changed, sources);
  return projects.flatMap((project): TouchedTypes[] => {
    const isIn = membersOf(folder, project);
    if (ambient.some((file) => reached.has(file) && isIn(file))) return [{ project, files: "all" }];
    const files = [...reached].filter((file) => sources.has(file) && isIn(file));
    return files.length === 0 ? [] : [{ project, files: [...files, ...ambient.filter(isIn)].sort() }];
  });
}

/** Of what npm reads, our own versions hold for nobody: a bump raises them. */
function holdsForAll(folder: string, base: string, file: string): boolean {
  const name = posix.basename(file);
  if (/^tsconfig.*\.json$|\.d\.ts$/.test(name)) return true;
  const meaning = {
    "package.json": (text: string) =>
      JSON.stringify({ ...Package.parse(JSON.parse(text)), version: undefined }),
    "package-lock.json": installKey,
  }[name];
  if (meaning === undefined) return false;
  try {
    return meaning(git(folder, "show", `${base}:${file}`)) !== meaning(git(folder, "show", `HEAD:${file}`));
  } catch (failure) {
    if (failure instanceof GitError) return true;
    throw failure;
  }
}

/** Whether a source is one that a project begins with. */
function membersOf(folder: string, project: string): (file: string) => boolean {
  const { include, exclude } = readJson(Project, join(folder, project));
  const patterns = (paths: readonly string[]): string[] =>
    paths.flatMap((path) => {
      const from = posix.join(posix.dirname(project), path);
      return [from, posix.join(from, "**")];
    });
  const isAnyOf = (paths: readonly string[], file: string): boolean =>
    paths.some((pattern) => matchesGlob(file, pattern));
  const [from, without] = [patterns(include), patterns(exclude)];
  return (file) => isAnyOf(from, file) && !isAnyOf(without, file);
}
