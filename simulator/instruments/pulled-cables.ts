import { existsSync, mkdirSync, watch } from "node:fs";
import { join } from "node:path";
import type { ServedPty } from "./pty.ts";

/** Pulls the cable of each instrument of which there is a file in the folder, and puts it back when the file has gone. */
export function pullCables(folder: string, served: readonly (ServedPty & { readonly id: string })[]): void {
  mkdirSync(folder, { recursive: true });
  const pulled = new Set<string>();
  const look = (): void => {
    for (const port of served) {
      const isWanted = existsSync(join(folder, port.id));
      if (isWanted === pulled.has(port.id)) continue;
      if (isWanted) {
        pulled.add(port.id);
        port.unplug();
      } else {
        pulled.delete(port.id);
        port.plug();
      }
    }
  };
  look();
  watch(folder, look).unref();
}
