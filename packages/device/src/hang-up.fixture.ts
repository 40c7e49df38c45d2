/**
 * Opens a real terminal again and again, and closes it while its far end hangs up: the child of `hang-up.test.ts`. Ends
 * with one line, how many rounds it survived.
 */
import { open } from "@lydell/node-pty";
import { systemClock } from "@coalmine/runtime/system-clock";
import { openSerial } from "./serial-link.ts";

const rounds = Number(process.argv[2]);
for (let round = 0; round < rounds; round++) {
  const terminal = open({ encoding: null });
  terminal.slave.destroy();
  terminal.master.on("error", () => {});
  const link = await openSerial(terminal.ptsName, { kind: "serial", id: "child", baudRate: 115_200 });
  link.onData(() => {});
  const gone = new Promise<void>((resolve) => link.onClose(() => resolve()));
  const write = () => void link.write(new Uint8Array(100)).catch(() => {});
  const hangUp = () => terminal.master.destroy();
  const close = () => void link.close();
  const feed = () => void terminal.master.write(new Uint8Array(2000).fill(65));
  const turns =
    [
      [hangUp, close],
      [close, hangUp],
      [feed, hangUp, close],
      [feed, close, hangUp],
      [write, hangUp, close],
      [write, feed, close, hangUp],
    ][round % 6] ?? [];
  const between = Math.floor(round / 6) % 6;
  for (const turn of turns) {
    turn();
    if (between === 1) await Promise.resolve();
    else if (between === 2) await new Promise((resolve) => process.nextTick(resolve));
    else if (between === 3) await new Promise((resolve) => setImmediate(resolve));
    else if (between === 4) await systemClock.sleep(1);
    else if (between === 5) await systemClock.sleep(2 * (round % 7));
  }
  await gone;
  if (round % 50 === 0) globalThis.gc?.();
}
process.stdout.write(`${rounds}\n`);
