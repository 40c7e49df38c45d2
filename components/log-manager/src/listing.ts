import type { ForeignFolder } from "@coalmine/ports";
import { uncompressedName } from "./content.ts";
import type { Listed } from "./file-set.ts";
import { fileKey } from "./followed-file.ts";
import { linearPattern } from "./linear-pattern.ts";

/** Names that a matcher remembers its answer for. */
const NAMES_MAX = 2000;

/** Whether a file is one of a source's: by its name, or by the one that it had before it was compressed. */
export function nameMatcher(pattern: string): (name: string) => boolean {
  const compiled = linearPattern(pattern);
  const answers = new Map<string, boolean>();
  return (name) => {
    const known = answers.get(name);
    if (known !== undefined) return known;
    const matches = compiled.test(name) || compiled.test(uncompressedName(name));
    if (answers.size >= NAMES_MAX) answers.clear();
    answers.set(name, matches);
    return matches;
  };
}

/** The files of a folder that match; one that is renamed in between is found by the next look. */
export async function listFiles(
  folder: ForeignFolder,
  matches: (name: string) => boolean,
): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  // A folder that is not there has no files yet.
  const names = await folder.list().catch((failure: unknown) => {
    if (failure instanceof Error && "code" in failure && failure.code === "ENOENT") return [];
    throw failure;
  });
  for (const name of names) {
    if (!matches(name)) continue;
    const status = await folder.status(name).catch(() => undefined);
    if (status?.kind === "file") found.push({ name, key: fileKey(status), status });
  }
  return found;
}
