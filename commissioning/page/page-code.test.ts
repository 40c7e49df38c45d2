import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeCrypto } from "@coalmine/device/crypto";
import { expect, onTestFinished, test } from "vitest";
import { readPageCode } from "./page-code.ts";

test("the page's code is made once, is its owner's alone, and is refused where others could have read it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "page-code-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "commissioning", "page-code");
  const code = await readPageCode(path, nodeCrypto);
  expect(code).toMatch(/^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$/);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readPageCode(path, nodeCrypto)).toBe(code);
  await chmod(path, 0o644);
  await expect(readPageCode(path, nodeCrypto)).rejects.toMatchObject({ reason: "file-modes" });
});
