import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NoSmallDisk, SmallDisk } from "./small-disk.ts";

test("it fills to the last page, and is empty again; whoever may not mount is told what it takes", () => {
  const folder = mkdtempSync(join(tmpdir(), "disk-"));
  try {
    let disk: SmallDisk;
    try {
      disk = SmallDisk.mount(join(folder, "work"));
    } catch (refused) {
      expect(refused).toBeInstanceOf(NoSmallDisk);
      expect(String(refused)).toContain("needs root");
      return;
    }
    const file = join(disk.folder, "file");
    disk.fill();
    expect(() => writeFileSync(file, Buffer.alloc(8192))).toThrow(/ENOSPC/);
    disk.free();
    writeFileSync(file, Buffer.alloc(8192));
    disk.unmount();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
