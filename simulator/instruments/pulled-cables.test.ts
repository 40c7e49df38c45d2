import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@coalmine/runtime/system-clock";
import { expect, test } from "vitest";
import { pullCables } from "./pulled-cables.ts";
import { servePty } from "./pty.ts";

test("a cable is pulled as long as a file with its instrument's name is there, and no other is", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cables-"));
  const ends = { one: 0, other: 0 };
  const served = (["one", "other"] as const).map((id) => ({
    id,
    ...servePty({ id, attach: (link) => link.onClose(() => ends[id]++) }, join(folder, "tty"), systemClock),
  }));
  try {
    pullCables(join(folder, "unplugged"), served);
    writeFileSync(join(folder, "unplugged", "one"), "");
    await expect.poll(() => ends).toEqual({ one: 1, other: 0 });
    expect(served.map(({ path }) => existsSync(path))).toEqual([false, true]);
    rmSync(join(folder, "unplugged", "one"));
    await expect.poll(() => served.map(({ path }) => existsSync(path))).toEqual([true, true]);
  } finally {
    for (const port of served) port.unplug();
    rmSync(folder, { recursive: true, force: true });
  }
});
