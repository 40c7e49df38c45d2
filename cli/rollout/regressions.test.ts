import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { applyChange, type Change, harmless, regressions } from "./regressions.ts";

const root = dirname(dirname(import.meta.dirname));
const changes: Change[] = [harmless, ...Object.values(regressions)];

test.each(changes)("the sources still hold the place of: $what", (change) => {
  const checkout = mkdtempSync(join(tmpdir(), "coalmine-change-"));
  const file = join(checkout, change.file);
  mkdirSync(dirname(file), { recursive: true });
  cpSync(join(root, change.file), file);
  applyChange(checkout, change);
  expect(readFileSync(file, "utf8")).toContain(change.replace);
  // A second time there is no such place any more, or it would be made twice.
  if (!change.replace.includes(change.find))
    expect(() => applyChange(checkout, change)).toThrow(/holds its place 0 times/);
  rmSync(checkout, { recursive: true });
});
