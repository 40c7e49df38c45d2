/**
 * Puts `node_modules` into a fresh checkout: hard links of a cached set where the lockfile's packages are the same, else
 * `npm ci`, whose result is cached. Runs before anything is installed, so it uses Node alone.
 *
 * The key leaves the workspaces' own entries out: npm writes their versions into the lockfile, so every bump would miss.
 * Links are hard, never symbolic: workspace links inside are relative, and a symlinked set would quietly build the
 * cache's sources instead of the checkout's.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly link?: boolean }>>;
}

/** What is installed for this lockfile, as a short name. */
export function installKey(lockfile: string): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no schema library is there before the packages are.
  const { packages } = JSON.parse(lockfile) as Lockfile;
  const installed = Object.entries(packages).filter(
    ([path, entry]) => path.includes("node_modules/") && entry.link !== true,
  );
  return createHash("sha256").update(JSON.stringify(installed)).digest("hex").slice(0, 24);
}

/** Installs into `checkout`; tells in one sentence how. */
export function install(checkout: string, cache: string): string {
  const key = installKey(readFileSync(join(checkout, "package-lock.json"), "utf8"));
  const kept = join(cache, "node_modules", key);
  if (existsSync(kept)) {
    for (const folder of packageFolders(kept)) link(join(kept, folder), join(checkout, folder));
    return `packages linked from the cache (${key})`;
  }
  execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: checkout, stdio: "inherit" });
  keep(checkout, cache);
  return `packages installed by npm ci and kept in the cache (${key})`;
}

/** Keeps a checkout's installed packages for later ones. A set that is there already stays. */
export function keep(checkout: string, cache: string): void {
  const key = installKey(readFileSync(join(checkout, "package-lock.json"), "utf8"));
  const kept = join(cache, "node_modules", key);
  if (existsSync(kept)) return;
  const growing = `${kept}.${process.pid}`;
  rmSync(growing, { recursive: true, force: true });
  for (const folder of packageFolders(checkout)) link(join(checkout, folder), join(growing, folder));
  // Whole or not there: a set that was cut off half-way must never be used.
  renameSync(growing, kept);
}

/** `node_modules` of the root, and of workspaces that needed versions of their own. */
function packageFolders(root: string): string[] {
  const patterns = ["node_modules", "{packages,components}/*/node_modules"];
  return patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .map((folder) => relative(root, join(root, folder)));
}

function link(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  rmSync(to, { recursive: true, force: true });
  try {
    execFileSync("cp", ["-al", from, to], { stdio: ["ignore", "ignore", "pipe"] });
  } catch {
    // Another file system takes no hard links across.
    rmSync(to, { recursive: true, force: true });
    execFileSync("cp", ["-a", from, to]);
  }
  // vite and vitest keep caches beside the packages; another checkout's are no use here.
  for (const own of [".vite", ".vite-temp", ".vitest"])
    rmSync(join(to, own), { recursive: true, force: true });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(
    install(process.cwd(), process.env["COALMINE_CACHE"] ?? join(process.cwd(), ".coalmine", "cache")),
  );
}
