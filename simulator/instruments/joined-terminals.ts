import { closeSync, constants, openSync } from "node:fs";
import { open } from "@lydell/node-pty";

/**
 * Two terminals joined back to back, so that two programs which each open a serial port can speak: the paths of the two.
 * Undone by what is pushed to `cleaning`.
 */
export function joinedTerminals(cleaning: (() => unknown)[]): readonly [string, string] {
  const terminals = [open({ encoding: null }), open({ encoding: null })] as const;
  for (const [index, terminal] of terminals.entries()) {
    terminal.master.setRawMode(true);
    // Held, so that it does not hang up when a program closes its end.
    const held = openSync(terminal.ptsName, constants.O_RDWR | constants.O_NOCTTY);
    terminal.slave.destroy();
    terminal.master.on("error", () => undefined);
    terminal.master.on("data", (bytes: Uint8Array) => terminals[1 - index]?.master.write(bytes));
    cleaning.push(() => {
      closeSync(held);
      terminal.master.destroy();
    });
  }
  return [terminals[0].ptsName, terminals[1].ptsName];
}
