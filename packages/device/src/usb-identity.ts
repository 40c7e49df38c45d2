import { readFile, realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** From a port up to the USB device that has it: port, interface, device; hubs are further up. */
const LEVELS_MAX = 5;

/**
 * Names of a port that stay when the system numbers its ports anew: by the adapter's serial number where it has one, and by
 * the socket it is plugged into. None for what is not on USB. `device` is as `/dev/ttyUSB0`.
 * @see https://docs.kernel.org/admin-guide/sysfs-rules.html
 */
export async function usbNames(device: string, sys = "/sys"): Promise<readonly string[]> {
  let folder = await realpath(join(sys, "class/tty", basename(device), "device")).catch(() => undefined);
  for (let level = 0; folder !== undefined && level < LEVELS_MAX; level++, folder = dirname(folder)) {
    const vendor = await attribute(folder, "idVendor");
    const product = await attribute(folder, "idProduct");
    if (vendor === undefined || product === undefined) continue;
    const serial = await attribute(folder, "serial");
    return [
      ...(serial === undefined ? [] : [`usb:${vendor}:${product}:${serial}`]),
      `usb:${vendor}:${product}@${basename(folder)}`,
    ];
  }
  return [];
}

async function attribute(folder: string, name: string): Promise<string | undefined> {
  const text = await readFile(join(folder, name), "utf8").catch(() => "");
  return text.trim() === "" ? undefined : text.trim();
}
