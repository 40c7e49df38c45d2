import { symlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serialLinks } from "@coalmine/device/serial-links";
import { encodeFrame, FrameDecoder } from "@coalmine/instrument";
import { systemClock } from "@coalmine/runtime/system-clock";
import { open } from "@lydell/node-pty";
import { atMost, inTurn, median, type Metrics } from "../measure.ts";

const SECONDS = 2;
const PERIOD_MS = 2;
/** About 1,880 of these frames a second fill 921,600 baud. */
const FRAMES_PER_PERIOD = 4;

/**
 * From the write at the instrument's end of a terminal to the decoded frame: through the port that sensor-reader uses, and
 * in turn through Node's own terminal stream, which tells what the terminal and this machine take.
 */
export async function terminalLatency(): Promise<Metrics> {
  let lost = 0;
  const p50Ms: number[] = [];
  const p99 = async (through: "port" | "stream"): Promise<number> => {
    const { sent, delaysMs } = await delays(through);
    lost += sent - delaysMs.length;
    delaysMs.sort((a, b) => a - b);
    if (through === "port") p50Ms.push(delaysMs[delaysMs.length >> 1] ?? Infinity);
    return delaysMs[Math.floor(0.99 * delaysMs.length)] ?? Infinity;
  };
  const { port, stream } = await inTurn({ port: () => p99("port"), stream: () => p99("stream") });
  return {
    latencyLoad: { value: (1000 / PERIOD_MS) * FRAMES_PER_PERIOD, unit: "frames/s" },
    latencyLost: atMost(lost, "frames", 0),
    latencyP50Ms: { value: median(p50Ms), unit: "ms" },
    latencyP99Ms: { value: median(port), unit: "ms" },
    latencyP99OfTerminalMs: { value: median(stream), unit: "ms" },
    latencyAddedP99Ms: atMost(median(port.map((ms, round) => ms - (stream[round] ?? 0))), "ms", 5),
  };
}

async function delays(through: "port" | "stream"): Promise<{ sent: number; delaysMs: number[] }> {
  const folder = await mkdtemp(join(tmpdir(), "bench-serial-"));
  const { master, slave, ptsName } = open({ encoding: null });
  master.setRawMode(true);
  symlinkSync(ptsName, join(folder, "near"));
  const delaysMs: number[] = [];
  const decoder = new FrameDecoder((decoded) => {
    if (decoded.kind === "frame") delaysMs.push(performance.now() - decoded.frame.deviceUs / 1000);
  });
  let close = async (): Promise<void> => {
    slave.destroy();
  };
  if (through === "stream") slave.on("data", (bytes: Uint8Array) => decoder.push(bytes));
  else {
    const links = serialLinks(systemClock, { folders: [folder] });
    const link = await links.open({ kind: "serial", id: "near", baudRate: 921_600 });
    slave.destroy();
    link.onData((bytes) => decoder.push(bytes));
    close = () => link.close();
  }
  let sent = 0;
  const payload = new Uint8Array(24).fill(7);
  const started = performance.now();
  while (performance.now() - started < 1000 * SECONDS) {
    // As many as the time that has passed has room for: a late turn does not lower the load.
    const due = Math.floor((performance.now() - started) / PERIOD_MS) * FRAMES_PER_PERIOD;
    for (; sent < due; sent++) {
      const deviceUs = Math.round(1000 * performance.now());
      master.write(encodeFrame({ type: 2, sequence: sent, boot: 1, deviceUs, payload }));
    }
    await systemClock.sleep(PERIOD_MS);
  }
  await systemClock.sleep(300);
  await close();
  master.on("error", () => undefined);
  master.destroy();
  await rm(folder, { recursive: true });
  return { sent, delaysMs };
}
