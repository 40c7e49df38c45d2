import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Region } from "../pipeline/controller/region.ts";
import { keepRehearsal } from "../pipeline/rehearsals.ts";
import { passedReport } from "../simulator/fleet/rehearsal/report.fixture.ts";
import { writeReport } from "../simulator/fleet/rehearsal/write-report.ts";

/** A rehearsal of that commit, written and kept as its stage does. */
export async function keepOneRehearsal(
  { s3, target }: Pick<Region, "s3" | "target">,
  commit: string,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "coalmine-rehearsal-"));
  try {
    writeReport(folder, { ...passedReport, commit });
    await keepRehearsal(s3, target.artifactBucket, commit, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
