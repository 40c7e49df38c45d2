import { readFileSync } from "node:fs";
import * as z from "zod";

const Budget = z.strictObject({
  comment: z.string(),
  /** By vitest project. */
  workerSeconds: z.record(z.string(), z.number().positive()),
});

/** How long the files of a project held a worker. */
export interface ProjectTime {
  readonly project: string;
  readonly seconds: number;
}

/** The share that `test/budget.json` gives each project. */
export function readBudget(): Readonly<Record<string, number>> {
  const text = readFileSync(new URL("./budget.json", import.meta.url), "utf8");
  return Budget.parse(JSON.parse(text)).workerSeconds;
}

/** One sentence for each project that took more than its share, or has none. */
export function overBudget(
  times: readonly ProjectTime[],
  shares: Readonly<Record<string, number>>,
): readonly string[] {
  return [...Map.groupBy(times, ({ project }) => project)].flatMap(([project, of]) => {
    const seconds = Math.round(of.reduce((sum, time) => sum + time.seconds, 0));
    const share = shares[project];
    if (share === undefined)
      return [`${project} took ${seconds} worker seconds and has no share; give it one in test/budget.json`];
    return seconds <= share
      ? []
      : [
          `${project} took ${seconds} of ${share} worker seconds; make it quicker, or move what is long to test:long`,
        ];
  });
}
