import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { mutants } from "./catalogue.ts";
import { applyChange } from "./change.ts";

const root = join(import.meta.dirname, "../../..");
const all = Object.entries(mutants);

test("there are at least 25 bad releases, each of one component or model", () => {
  expect(all.length).toBeGreaterThanOrEqual(25);
  for (const [name, { edits }] of all)
    expect(new Set(edits.map(({ file }) => file.split("/").slice(0, 2).join("/"))).size, name).toBe(1);
});

test.each(all)("the sources still hold the place of %s, and hold it once", (name, change) => {
  const checkout = mkdtempSync(join(tmpdir(), "coalmine-mutant-"));
  for (const { file } of change.edits) {
    mkdirSync(dirname(join(checkout, file)), { recursive: true });
    cpSync(join(root, file), join(checkout, file));
  }
  applyChange(checkout, change, name);
  for (const { file, replace } of change.edits)
    expect(readFileSync(join(checkout, file), "utf8")).toContain(replace);
  // What moved on under it is named: here by the change itself.
  const [{ find, replace }] = change.edits;
  if (!replace.includes(find)) expect(() => applyChange(checkout, change, name)).toThrow(`"${name}": `);
  rmSync(checkout, { recursive: true });
});
