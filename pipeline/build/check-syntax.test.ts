import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkSyntax } from "./check-syntax.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "syntax-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a bundle that declares a name twice is refused by that name, and one that is whole is not run", async () => {
  const file = join(folder, "main.mjs");
  writeFileSync(file, 'import { createRequire as c } from "node:module";\nvar a, b, c;\n');
  await expect(checkSyntax(file)).rejects.toThrow(
    /ERR_BUILD_SOURCE: .*SyntaxError: .*'c' has already been declared/,
  );
  writeFileSync(file, 'import { createRequire as c } from "node:module";\nthrow new Error(String(c));\n');
  await checkSyntax(file);
});
