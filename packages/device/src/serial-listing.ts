import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { LinkInfo } from "@coalmine/ports";
import { usbNames } from "./usb-identity.ts";

/** Where serial ports are found. */
export interface SerialPlaces {
  /** Folders of names that lead to ports; the name is the port's id. */
  readonly folders?: readonly string[];
  /** Single ports, which are their own ids. */
  readonly paths?: readonly string[];
  /** Where the kernel tells of USB; `/sys` on a device. */
  readonly sys?: string;
}

/** What udev names by the hardware's own serial number. */
export const BY_ID = "/dev/serial/by-id";
/** Ports of hardware that tells no serial number are listed by path; the many idle `ttyS` only where asked for. */
const DEVICES = /^tty(USB|ACM|AMA)\d+$/;

/** Every port once, by the most stable name it has, sorted by id. */
export async function listSerial(places: SerialPlaces): Promise<readonly LinkInfo[]> {
  const named = await Promise.all([BY_ID, ...(places.folders ?? [])].map(inFolder));
  const devices = (await namesIn("/dev")).filter((name) => DEVICES.test(name)).map((name) => `/dev/${name}`);
  const plain = [...(places.paths ?? []), ...devices].map((path) => ({ id: path, path }));
  const found = new Map<string, LinkInfo & { readonly aliases: readonly string[] }>();
  for (const info of [...named.flat(), ...plain]) {
    const target = await targetOf(info.path);
    if (target === undefined || found.has(target)) continue;
    found.set(target, { ...info, aliases: await usbNames(target, places.sys) });
  }
  const ports = [...found.values()];
  // Two adapters of one maker may tell the same serial number: a name that fits both is none.
  const names = ports.flatMap(({ aliases }) => aliases);
  const isClear = (name: string) => names.indexOf(name) === names.lastIndexOf(name);
  return ports
    .map(({ id, path, aliases }) => {
      const [best, ...others] = [...(id === path ? [] : [id]), ...aliases.filter(isClear), path];
      return { id: best, path, aliases: others };
    })
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** What changes when a port appears, disappears, or leads to another device. */
export async function serialSignature(places: SerialPlaces): Promise<string> {
  const listed = await listSerial(places);
  const targets = await Promise.all(
    listed.map(async ({ id, path }) => `${id}=${(await targetOf(path)) ?? ""}`),
  );
  return targets.join("\n");
}

async function inFolder(folder: string): Promise<LinkInfo[]> {
  return (await namesIn(folder)).map((name) => ({ id: name, path: join(folder, name) }));
}

/** A folder that is not there holds no ports: udev makes it with the first one. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** The device behind a name, or undefined where the name leads nowhere or to no terminal. */
async function targetOf(path: string): Promise<string | undefined> {
  try {
    const target = await realpath(path);
    return (await stat(target)).isCharacterDevice() ? target : undefined;
  } catch {
    return undefined;
  }
}
