import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { open } from "@lydell/node-pty";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, beforeEach, expect, test } from "vitest";
import { serialLinks } from "./serial-links.ts";

let sys: string;
const terminals: ReturnType<typeof open>[] = [];

beforeEach(async () => {
  sys = await mkdtemp(join(tmpdir(), "sys-"));
});
afterEach(async () => {
  for (const { master } of terminals.splice(0)) master.destroy();
  await rm(sys, { recursive: true });
});

/** A real terminal, and the kernel's tree as it looks when a USB adapter has that port. */
async function adapter(location: string, serial: string | undefined): Promise<string> {
  const terminal = open({ encoding: null });
  terminal.slave.destroy();
  terminal.master.on("error", () => undefined);
  terminals.push(terminal);
  const device = join(sys, "devices/pci0000:00/usb1/1-1", location);
  const port = join(device, `${location}:1.0`, basename(terminal.ptsName));
  await mkdir(port, { recursive: true });
  await writeFile(join(device, "idVendor"), "0403\n");
  await writeFile(join(device, "idProduct"), "6001\n");
  if (serial !== undefined) await writeFile(join(device, "serial"), `${serial}\n`);
  const named = join(sys, "class/tty", basename(terminal.ptsName));
  await mkdir(named, { recursive: true });
  await symlink(port, join(named, "device"));
  return terminal.ptsName;
}

test("an adapter keeps its name by its serial number, whatever number the system gives its port", async () => {
  const first = await adapter("1-1.2", "FT1234");
  const before = await serialLinks(systemClock, { paths: [first], sys }).list();
  const port = before.find(({ path }) => path === first);
  expect(port).toEqual({ id: "usb:0403:6001:FT1234", path: first, aliases: ["usb:0403:6001@1-1.2", first] });
  // Pulled, and plugged into another socket: another device, another number.
  await rm(join(sys, "class"), { recursive: true });
  const second = await adapter("1-1.4", "FT1234");
  const links = serialLinks(systemClock, { paths: [second], sys });
  const link = await links.open({ kind: "serial", id: "usb:0403:6001:FT1234", baudRate: 115_200 });
  await link.close();
  expect((await links.list()).find(({ path }) => path === second)?.id).toBe("usb:0403:6001:FT1234");
});

test("adapters without a serial number, or with the same one, are told apart by where they are plugged in", async () => {
  const paths = [
    await adapter("1-1.2", undefined),
    await adapter("1-1.3", "0001"),
    await adapter("1-1.4", "0001"),
  ];
  const ids = (await serialLinks(systemClock, { paths, sys }).list())
    .filter(({ path }) => paths.includes(path))
    .map(({ id }) => id);
  expect(ids).toEqual(["usb:0403:6001@1-1.2", "usb:0403:6001@1-1.3", "usb:0403:6001@1-1.4"]);
});
