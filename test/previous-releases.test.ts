import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import * as z from "zod";
import { BuildManifest } from "../pipeline/build/build-manifest.ts";
import { cacheFolder } from "../pipeline/build/cache-folder.ts";
import { hostPlatform } from "../pipeline/build/platform.ts";

/**
 * The releases before this one, built again from their own sources by their own build, in the present simulator. The short
 * form takes the last one before; the long one the last two. Their libraries are today's, so that their bytes may be others
 * than the released ones: what is shown is that their code runs.
 */
const isLong = process.env["COALMINE_LONG"] === "1";
const RELEASES = isLong ? 2 : 1;
/** What talks to the ports most. */
const components = ["coalmine.SensorReader", "coalmine.StreamUploader"];
vi.setConfig({ testTimeout: 600_000 });

const root = dirname(import.meta.dirname);
const { manifest: built } = inject("built");
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "previous-releases-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const git = (...words: string[]): Buffer => execFileSync("git", words, { cwd: root, maxBuffer: 1024 ** 3 });

const Released = z.array(z.object({ component: z.string(), version: z.string() }));

/** The versions of them that a commit's list of releases ends with. */
function versionsAt(commit: string): string {
  const released = Released.parse(JSON.parse(git("show", `${commit}:recipes/released.json`).toString()));
  const last = new Map(released.map(({ component, version }) => [component, version]));
  return components.map((component) => `${component} ${last.get(component) ?? "none"}`).join(", ");
}

/** For each set of their versions before today's the last commit that had it, newest first; those of a clone that is cut short are not there. */
function releases(): string[] {
  if (!existsSync(join(root, ".git"))) return [];
  // Another component's release touches the list's last line too, whosever that is.
  const commits = git("log", "--format=%H", "--", "recipes/released.json").toString().trim().split("\n");
  const known = new Set([versionsAt("HEAD")]);
  return commits.filter((commit) => {
    const versions = versionsAt(commit);
    return !known.has(versions) && known.add(versions);
  });
}

/** A checkout of that commit with today's libraries. */
function checkout(commit: string): string {
  const path = join(folder, commit.slice(0, 12));
  mkdirSync(path);
  execFileSync("tar", ["-x"], { cwd: path, input: git("archive", commit) });
  const modules = join(path, "node_modules");
  mkdirSync(modules);
  for (const name of readdirSync(join(root, "node_modules"))) {
    // Links of the workspace lead to the sources that they lie beside.
    if (name === "@coalmine")
      cpSync(join(root, "node_modules", name), join(modules, name), {
        recursive: true,
        verbatimSymlinks: true,
      });
    else symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  return path;
}

/** Builds it with its own build, and gives the folder of a release: its components, and today's for all others. */
function rebuilt(commit: string): { dist: string; changed: readonly string[] } {
  const path = checkout(commit);
  const words = ["--platform", hostPlatform() ?? "linux-x64", "--allow-unreleased", "--json"];
  const only = components.flatMap((component) => ["--only", component]);
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["pipeline/build/main.ts", ...words, ...only],
    {
      cwd: path,
      encoding: "utf8",
      env: { ...process.env, COALMINE_CACHE: cacheFolder(root, process.env) },
    },
  );
  expect(status, stderr).toBe(0);
  const own = BuildManifest.parse(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? ""));
  const others = built.components.filter(({ component }) => !components.includes(component));
  for (const { component, recipeFile } of others) {
    symlinkSync(join(root, "dist/artifacts", component), join(path, "dist/artifacts", component));
    cpSync(join(root, "dist", recipeFile), join(path, "dist", recipeFile));
  }
  const all = [...own.components, ...others];
  writeFileSync(join(path, "dist/build.json"), JSON.stringify({ ...built, components: all }));
  const today = new Map(built.components.map((one) => [one.component, JSON.stringify(one.artifacts)]));
  return {
    dist: join(path, "dist"),
    changed: own.components
      .filter(({ component, artifacts }) => JSON.stringify(artifacts) !== today.get(component))
      .map(({ component, version }) => `${component} ${version}`),
  };
}

const before = releases().slice(0, RELEASES);
const title = `the ${RELEASES === 1 ? "release" : `${RELEASES} releases`} before this one run in the present simulator, and are upgraded to it`;
const isWhole = before.length === RELEASES;
(isWhole ? test : test.skip)(isWhole ? title : `${title} (the history has fewer: fetch all of it)`, () => {
  for (const commit of before) {
    const { dist, changed } = rebuilt(commit);
    // Else nothing of an older release was played.
    expect(changed, commit).not.toEqual([]);
    const scenario = join(folder, "upgrade.yaml");
    writeFileSync(
      scenario,
      `about: the release before, and today's after it
releases:
  - { at: 0 s, release: running }
  - { at: 30 min, release: candidate, within: 20 min }
lasts: 1 h
settles: 70 min
expect:
  - no deployment fails
  - every device runs the candidate release at the end
  - every device is connected at the end
`,
    );
    const words = ["--scenario", scenario, "--devices", "2", "--json", "--shrink-runs", "0"];
    const today = join(root, "dist");
    const places = ["--running", dist, "--candidate", today, "--artifacts", join(folder, "artifacts")];
    const program = join(root, "simulator/fleet/main.ts");
    const { stdout, stderr } = spawnSync(process.execPath, [program, "simulate", ...words, ...places], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(stdout, stderr).not.toBe("");
    const { invariants, passed } = JSON.parse(stdout) as { invariants: { ok: boolean }[]; passed: boolean };
    expect([invariants.filter(({ ok }) => !ok), passed], commit).toEqual([[], true]);
  }
});
