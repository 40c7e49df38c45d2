import { mkdtemp, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "@lydell/node-pty";
import type { LinkClosed, Links } from "@coalmine/ports";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { serialLinks } from "./serial-links.ts";

let folder: string;
let links: Links;
let terminals: ReturnType<typeof open>[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "links-"));
  links = serialLinks(systemClock, { folders: [folder] });
  terminals = [];
});
afterEach(async () => {
  for (const { master } of terminals) master.destroy();
  await rm(folder, { recursive: true });
});

/** An instrument's end of a real pseudo-terminal, and the name that leads to the other. */
async function plugIn(name: string): Promise<ReturnType<typeof open>> {
  const terminal = open({ encoding: null });
  terminal.slave.destroy();
  terminal.master.on("error", () => {});
  terminals.push(terminal);
  await symlink(terminal.ptsName, join(folder, name));
  return terminal;
}

const target = (id: string) => ({ kind: "serial", id, baudRate: 115_200 }) as const;

describe("serial", () => {
  test("ports are listed by stable name, sorted, each once; what is no port is not", async () => {
    const terminal = await plugIn("usb-B");
    await plugIn("usb-A");
    await symlink(terminal.ptsName, join(folder, "usb-C"));
    await symlink("/nowhere", join(folder, "usb-D"));
    await writeFile(join(folder, "file"), "");
    const ours = (await links.list()).filter(({ path }) => path.startsWith(folder));
    expect(ours).toEqual([
      { id: "usb-A", path: join(folder, "usb-A"), aliases: [join(folder, "usb-A")] },
      { id: "usb-B", path: join(folder, "usb-B"), aliases: [join(folder, "usb-B")] },
    ]);
  });

  test("bytes pass both ways unchanged", async () => {
    const { master } = await plugIn("usb-A");
    const link = await links.open(target("usb-A"));
    const sent = Uint8Array.from({ length: 20_000 }, (_, index) => index % 256);
    const heard: number[] = [];
    const echoed: number[] = [];
    master.on("data", (bytes: Uint8Array) => echoed.push(...bytes));
    link.onData((bytes) => heard.push(...bytes));
    await link.write(sent);
    await vi.waitFor(() => expect(echoed).toHaveLength(sent.length), 5000);
    expect(echoed).toEqual([...sent]);
    for (let start = 0; start < sent.length; start += 4096) {
      master.write(sent.subarray(start, start + 4096));
      const end = Math.min(sent.length, start + 4096);
      await vi.waitFor(() => expect(heard).toHaveLength(end), 5000);
    }
    expect(heard).toEqual([...sent]);
    await link.close();
  });

  test("writes that were not waited for arrive one after the other", async () => {
    const { master } = await plugIn("usb-A");
    const link = await links.open(target("usb-A"));
    const echoed: number[] = [];
    master.on("data", (bytes: Uint8Array) => echoed.push(...bytes));
    await Promise.all([1, 2, 3].map((value) => link.write(new Uint8Array(5000).fill(value))));
    await vi.waitFor(() => expect(echoed).toHaveLength(15_000), 5000);
    expect(echoed).toEqual([1, 2, 3].flatMap((value) => Array.from({ length: 5000 }, () => value)));
    await link.close();
  });

  test.each([0, 100])(
    "a hang-up after %i ms closes the link, and writing is refused from then on",
    async (ms) => {
      const { master } = await plugIn("usb-A");
      const link = await links.open(target("usb-A"));
      const closed: LinkClosed[] = [];
      link.onData(() => {});
      link.onClose((why) => closed.push(why));
      await systemClock.sleep(ms);
      master.destroy();
      await vi.waitFor(() => expect(closed).toEqual([{ by: "other", reason: expect.any(String) }]));
      await expect(link.write(Uint8Array.of(1))).rejects.toMatchObject({ code: "LINK_FAILED" });
      await link.close();
    },
  );

  test("closing it ourselves says so, and the port can be opened again", async () => {
    const { master } = await plugIn("usb-A");
    for (const value of [7, 8]) {
      const link = await links.open(target("usb-A"));
      const closed: LinkClosed[] = [];
      const heard: number[] = [];
      link.onData((bytes) => heard.push(...bytes));
      link.onClose((why) => closed.push(why));
      master.write(Uint8Array.of(value));
      await vi.waitFor(() => expect(heard).toEqual([value]));
      await link.close();
      expect(closed).toEqual([{ by: "us" }]);
    }
  });

  test("a port that is not there, and one that is taken, are refused by code", async () => {
    await plugIn("usb-A");
    await expect(links.open(target("usb-Z"))).rejects.toMatchObject({
      name: "LinkError",
      code: "NO_SUCH_LINK",
      message: expect.stringContaining("usb-A"),
    });
    await expect(links.open(target("/dev/no-such-port"))).rejects.toMatchObject({ code: "NO_SUCH_LINK" });
    const first = await links.open(target("usb-A"));
    await expect(links.open(target("usb-A"))).rejects.toMatchObject({ code: "LINK_BUSY" });
    await first.close();
    await writeFile(join(folder, "plain"), "");
    await expect(links.open(target(join(folder, "plain")))).rejects.toMatchObject({ name: "LinkError" });
  });

  test("whoever watches is told when a port comes, goes, or leads elsewhere", async () => {
    let changes = 0;
    await plugIn("usb-A");
    const watching = links.watch(() => changes++);
    await systemClock.sleep(100);
    await plugIn("usb-B");
    await vi.waitFor(() => expect(changes).toBeGreaterThan(0), 4000);
    await systemClock.sleep(100);
    const before = changes;
    await unlink(join(folder, "usb-B"));
    await vi.waitFor(() => expect(changes).toBeGreaterThan(before), 4000);
    watching.close();
  });
});

describe("tcp", () => {
  test("bytes pass both ways, and the other end's closing is told", async () => {
    const server = createServer((socket) => socket.on("data", (bytes) => socket.end(bytes)));
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    const { port } = server.address() as AddressInfo;
    const link = await links.open({ kind: "tcp", host: "127.0.0.1", port });
    const heard: number[] = [];
    const closed: LinkClosed[] = [];
    link.onData((bytes) => heard.push(...bytes));
    link.onClose((why) => closed.push(why));
    await link.write(Uint8Array.of(1, 2, 3));
    await vi.waitFor(() => expect(closed).toEqual([{ by: "other", reason: expect.any(String) }]));
    expect(heard).toEqual([1, 2, 3]);
    await expect(link.write(Uint8Array.of(1))).rejects.toThrow();
    await new Promise((stopped) => server.close(stopped));
    await expect(links.open({ kind: "tcp", host: "127.0.0.1", port })).rejects.toMatchObject({
      code: "NO_SUCH_LINK",
    });
  });
});
