import { posix } from "node:path";

/**
 * What a source names in quotes, whatever for: more than it imports and never less, so that a type which is imported
 * within a line counts, and a file that is gone.
 */
const NAMED = /["'`]((?:\.{1,2}(?:\/|(?=["'`]))|@coalmine\/)[^"'`\s]*)["'`]/g;

/** The files that `file`'s names can stand for, there or not. A workspace is named for its folder, and exports its `src`. */
export function pathsNamed(file: string, text: string): string[] {
  return [...text.matchAll(NAMED)].flatMap(([, name = ""]) => {
    if (name.startsWith(".")) {
      const path = posix.join(posix.dirname(file), name);
      return ["", ".ts", ".tsx", "/index.ts", "/index.tsx"].map((ending) => posix.normalize(path + ending));
    }
    const [, workspace = "", ...rest] = name.split("/");
    const source = rest.length === 0 ? "index" : rest.join("/");
    return ["packages", "components"].map((kind) => `${kind}/${workspace}/src/${source}.ts`);
  });
}

/** The changed files and whatever names one of them, directly or by others; `sources` are path → text. */
export function reachedBy(
  changed: readonly string[],
  sources: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const namedIn = new Map<string, string[]>();
  for (const [file, text] of sources)
    for (const path of new Set(pathsNamed(file, text))) {
      const files = namedIn.get(path);
      if (files === undefined) namedIn.set(path, [file]);
      else files.push(file);
    }
  const reached = new Set(changed);
  // A set yields what is added while it is walked.
  for (const file of reached) for (const by of namedIn.get(file) ?? []) reached.add(by);
  return reached;
}
