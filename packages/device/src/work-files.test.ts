import { constants } from "node:fs";
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "@coalmine/ports";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { describeWorkFiles } from "./files-suite.ts";
import { workFiles } from "./work-files.ts";

describeWorkFiles("work files on a disk", async () => {
  const folder = await mkdtemp(join(tmpdir(), "files-"));
  return { files: workFiles(folder, systemClock), close: () => rm(folder, { recursive: true }) };
});

test("what is written durably goes through a descriptor whose writes are synced, closed with the file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "files-"));
  const syncedOf = async (): Promise<number> => {
    const flags = await Promise.all(
      (await readdir("/proc/self/fd")).map(async (fd) => {
        if ((await readlink(`/proc/self/fd/${fd}`).catch(() => "")) !== join(folder, "a")) return 0;
        const info = await readFile(`/proc/self/fdinfo/${fd}`, "utf8");
        return Number.parseInt(/^flags:\s+(\d+)$/m.exec(info)?.[1] ?? "", 8);
      }),
    );
    return flags.filter((of) => (of & constants.O_DSYNC) !== 0).length;
  };
  const file = await workFiles(folder, systemClock).open("a", "create");
  await file.write(0, new Uint8Array(10));
  await file.sync();
  expect(await syncedOf()).toBe(0);
  await file.writeDurably(10, new Uint8Array(10));
  await file.writeDurably(20, new Uint8Array(10));
  expect(await syncedOf()).toBe(1);
  await file.close();
  expect(await syncedOf()).toBe(0);
  await rm(folder, { recursive: true });
});

describe("a foreign folder on a disk", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "foreign-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });
  const foreign = () => workFiles(folder, systemClock).foreign(folder);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

  test("lists, tells what is what, reads and removes", async () => {
    await writeFile(join(folder, "b.log"), "bee");
    await writeFile(join(folder, "a.log"), "a");
    await mkdir(join(folder, "c"));
    expect(await foreign().list()).toEqual(["a.log", "b.log", "c"]);
    expect(await foreign().status("b.log")).toMatchObject({ kind: "file", sizeBytes: 3 });
    expect((await foreign().status("c")).kind).toBe("folder");
    const file = await foreign().open("b.log");
    expect(text(await file.read(1, 10))).toBe("ee");
    await file.close();
    await foreign().remove("b.log");
    expect(await foreign().list()).toEqual(["a.log", "c"]);
    await expect(foreign().open("none")).rejects.toMatchObject({ code: "ENOENT" });
    await expect(foreign().open("../x")).rejects.toMatchObject({ code: "EINVAL" });
  });

  test("an open file outlives rotation: it goes on by its identity, not its name", async () => {
    await writeFile(join(folder, "x.log"), "old");
    const before = await foreign().status("x.log");
    const file = await foreign().open("x.log");
    await rename(join(folder, "x.log"), join(folder, "x_1.log"));
    await writeFile(join(folder, "x.log"), "new");
    await appendFile(join(folder, "x_1.log"), "er");
    expect(text(await file.read(0, 100))).toBe("older");
    const { device, inode } = await file.status();
    expect({ device, inode }).toEqual({ device: before.device, inode: before.inode });
    expect((await foreign().status("x.log")).inode).not.toBe(inode);
    expect((await foreign().status("x_1.log")).inode).toBe(inode);
    await foreign().remove("x_1.log");
    expect(text(await file.read(3, 100))).toBe("er");
    await file.close();
  });

  test("whoever watches is told of a new file, a longer one and a renamed one", async () => {
    let changes = 0;
    const watching = foreign().watch(() => changes++);
    for (const change of [
      () => writeFile(join(folder, "x"), "1"),
      () => appendFile(join(folder, "x"), "2"),
      () => rename(join(folder, "x"), join(folder, "y")),
    ]) {
      const before = changes;
      await change();
      await vi.waitFor(() => expect(changes).toBeGreaterThan(before), 2000);
      await systemClock.sleep(50);
    }
    watching.close();
    const after = changes;
    await writeFile(join(folder, "z"), "");
    await systemClock.sleep(100);
    expect(changes).toBe(after);
  });

  test("a folder that is not there yet is watched by asking", async () => {
    let changes = 0;
    let poll: (() => void) | undefined;
    const timer = (_delayMs: number, fire: () => void) => {
      poll = fire;
      return { cancel: () => void (poll = undefined) };
    };
    const clock: Clock = { ...systemClock, timer };
    const later = join(folder, "later");
    const watching = workFiles(folder, clock)
      .foreign(later)
      .watch(() => changes++);
    await mkdir(later);
    poll?.();
    expect(changes).toBe(1);
    await writeFile(join(later, "x"), "");
    await vi.waitFor(() => expect(changes).toBeGreaterThan(1), 2000);
    watching.close();
    expect(poll).toBeUndefined();
  });

  test("a file that may not be read is refused by code", async () => {
    await writeFile(join(folder, "secret"), "s");
    await chmod(join(folder, "secret"), 0);
    if (process.getuid?.() === 0) expect(text(await (await foreign().open("secret")).read(0, 1))).toBe("s");
    else await expect(foreign().open("secret")).rejects.toMatchObject({ code: "EACCES" });
  });
});
