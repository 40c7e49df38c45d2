import type { Files } from "@coalmine/ports";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

export interface FilesFixture {
  readonly files: Files;
  close(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (read: Uint8Array): string => new TextDecoder().decode(read);

/** What every implementation of a work folder does, whatever it is made of. */
export function describeWorkFiles(name: string, open: () => Promise<FilesFixture>): void {
  describe(name, () => {
    let fixture: FilesFixture;
    let files: Files;
    beforeEach(async () => {
      fixture = await open();
      files = fixture.files;
    });
    afterEach(async () => {
      await fixture.close();
    });

    async function put(path: string, content: string): Promise<void> {
      const file = await files.open(path, "create");
      await file.write(0, bytes(content));
      await file.sync();
      await file.close();
    }
    async function get(path: string): Promise<string> {
      const file = await files.open(path, "read");
      const content = text(await file.read(0, 1000));
      await file.close();
      return content;
    }

    test("what was written is read, from any position, with fewer bytes only at the end", async () => {
      const file = await files.open("a", "create");
      await file.write(0, bytes("hello"));
      await file.write(5, bytes(" world"));
      await file.write(0, bytes("J"));
      expect(text(await file.read(0, 5))).toBe("Jello");
      expect(text(await file.read(6, 100))).toBe("world");
      expect(await file.read(11, 10)).toHaveLength(0);
      expect(await file.read(100, 10)).toHaveLength(0);
      expect(await file.size()).toBe(11);
      await file.close();
    });

    test("what is written durably is there, also where the file has another name by then", async () => {
      const file = await files.open("a", "create");
      await file.writeDurably(0, bytes("first"));
      await files.rename("a", "b");
      await put("a", "second");
      await file.writeDurably(3, bytes("ally"));
      expect(await get("b")).toBe("firally");
      expect(await get("a")).toBe("second");
      await file.close();
    });

    test("a gap that was never written reads as zeros", async () => {
      const file = await files.open("a", "create");
      await file.write(3, bytes("x"));
      expect([...(await file.read(0, 4))]).toEqual([0, 0, 0, 120]);
      await file.close();
    });

    test("truncating shortens, and lengthens with zeros", async () => {
      await put("a", "abcdef");
      const file = await files.open("a", "write");
      await file.truncate(2);
      expect(text(await file.read(0, 10))).toBe("ab");
      await file.truncate(4);
      expect([...(await file.read(0, 10))]).toEqual([97, 98, 0, 0]);
      await file.close();
    });

    test("the four ways to open differ in what they ask of the name", async () => {
      for (const mode of ["read", "write"] as const)
        await expect(files.open("none", mode)).rejects.toMatchObject({ name: "FileError", code: "ENOENT" });
      await (await files.open("a", "exclusive")).close();
      await expect(files.open("a", "exclusive")).rejects.toMatchObject({ code: "EEXIST" });
      await put("a", "kept");
      await (await files.open("a", "create")).close();
      expect(await get("a")).toBe("kept");
      await expect(files.open("folder/a", "create")).rejects.toMatchObject({ code: "ENOENT" });
      await expect(files.open("a/b", "create")).rejects.toMatchObject({ code: "ENOTDIR" });
    });

    test("a file opened for reading refuses to be written", async () => {
      await put("a", "x");
      const file = await files.open("a", "read");
      const refused = { name: "FileError", code: "EACCES" };
      await expect(file.write(0, bytes("y"))).rejects.toMatchObject(refused);
      await expect(file.writeDurably(0, bytes("y"))).rejects.toMatchObject(refused);
      await file.close();
      expect(await get("a")).toBe("x");
    });

    test("an open file goes on when its name is renamed, replaced or removed", async () => {
      await put("a", "first");
      const file = await files.open("a", "write");
      await files.rename("a", "b");
      await put("a", "second");
      await file.write(5, bytes("!"));
      expect(text(await file.read(0, 10))).toBe("first!");
      expect(await get("b")).toBe("first!");
      expect(await get("a")).toBe("second");
      await files.rename("a", "b");
      expect(text(await file.read(0, 10))).toBe("first!");
      expect(await get("b")).toBe("second");
      await files.remove("b");
      expect(text(await file.read(0, 10))).toBe("first!");
      await file.close();
    });

    test("identity goes with the file, not with the name", async () => {
      await put("a", "x");
      const before = await files.status("a");
      await files.rename("a", "b");
      expect(await files.status("b")).toMatchObject({ device: before.device, inode: before.inode });
      await put("a", "x");
      expect((await files.status("a")).inode).not.toBe(before.inode);
    });

    test("folders are made, listed by sorted names, and synced", async () => {
      await files.makeFolder("f");
      await expect(files.makeFolder("f")).rejects.toMatchObject({ code: "EEXIST" });
      await expect(files.makeFolder("g/h")).rejects.toMatchObject({ code: "ENOENT" });
      await put("f/b", "");
      await put("f/a", "");
      await put("top", "");
      expect(await files.list("f")).toEqual(["a", "b"]);
      expect(await files.list("")).toEqual(["f", "top"]);
      expect((await files.status("f")).kind).toBe("folder");
      expect(await files.status("f/a")).toMatchObject({ kind: "file", sizeBytes: 0 });
      await files.syncFolder("f");
      await files.syncFolder("");
      await expect(files.list("none")).rejects.toMatchObject({ code: "ENOENT" });
      await expect(files.list("top")).rejects.toMatchObject({ code: "ENOTDIR" });
      await expect(files.syncFolder("top")).rejects.toMatchObject({ code: "ENOTDIR" });
      await expect(files.open("f", "read")).rejects.toMatchObject({ code: "EISDIR" });
      await expect(files.open("f", "write")).rejects.toMatchObject({ code: "EISDIR" });
    });

    test("what is not there cannot be renamed, removed or looked at", async () => {
      await expect(files.rename("none", "a")).rejects.toMatchObject({ code: "ENOENT" });
      await expect(files.remove("none")).rejects.toMatchObject({ code: "ENOENT" });
      await expect(files.status("none")).rejects.toMatchObject({ code: "ENOENT", path: "none" });
    });

    test("paths that leave the work folder are refused", async () => {
      for (const path of ["../a", "/etc/passwd", "f/../../a"])
        await expect(files.open(path, "create"), path).rejects.toMatchObject({ code: "EINVAL" });
      await expect(files.remove("")).rejects.toMatchObject({ code: "EINVAL" });
    });

    test("free space is told, and less of it after writing cannot be more", async () => {
      expect(await files.freeBytes()).toBeGreaterThan(0);
    });
  });
}
