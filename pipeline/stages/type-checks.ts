import { rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import type { TouchedTypes } from "./touched-types.ts";
import { type CheckStep, tool } from "./two-at-a-time.ts";

interface TypeChecks {
  readonly steps: readonly CheckStep[];
  /** Removes the settings that were written for them. */
  remove(): void;
}

/** The compiler's runs: a project as it is, or settings beside it that begin with the touched files alone. */
export function typeChecks(folder: string, touched: readonly TouchedTypes[]): TypeChecks {
  const written: string[] = [];
  const steps = touched.map(({ project, files }): CheckStep => {
    const command = [...tool("tsc"), "--noEmit", "--checkers", "2", "-p"];
    if (files === "all") return { name: `types of ${project}`, command: [...command, project] };
    const own = join(dirname(project), `touched.${basename(project)}`);
    const settings = {
      extends: `./${basename(project)}`,
      include: [],
      files: files.map((file) => posix.relative(posix.dirname(project), file)),
    };
    writeFileSync(join(folder, own), JSON.stringify(settings));
    written.push(own);
    return { name: `types of ${project} in ${files.length} files`, command: [...command, own] };
  });
  return { steps, remove: () => written.forEach((own) => rmSync(join(folder, own), { force: true })) };
}
