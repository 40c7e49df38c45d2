import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { junitOf } from "./junit.ts";
import { rehearsalPage } from "./page/page.ts";
import type { RehearsalReport } from "./report.ts";

/** `report.html`, `report.xml` and, last, `report.json`: whoever reads the folder finds all where that one is. */
export function writeReport(folder: string, report: RehearsalReport): void {
  mkdirSync(folder, { recursive: true });
  const files = {
    "report.html": rehearsalPage(report),
    "report.xml": junitOf(report),
    "report.json": `${JSON.stringify(report)}\n`,
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    writeFileSync(`${path}.new`, content);
    renameSync(`${path}.new`, path);
  }
}
