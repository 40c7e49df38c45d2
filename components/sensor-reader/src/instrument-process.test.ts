import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { LedgerEntry } from "../../../simulator/instruments/ledger.ts";
import { serialReader, until } from "../test/serial-reader.ts";
import { compare } from "../test/world.ts";

const { clean, cleanLater, folder, startReader } = serialReader();
afterEach(clean);

test("instruments served by a process of their own are read, also after that process was started again", async () => {
  const ports = folder();
  const ledgerPath = `${ports}.ledger.jsonl`;
  const serve = async () => {
    const child = spawn(
      process.execPath,
      [
        join(import.meta.dirname, "../../../simulator/instruments/main.ts"),
        "--folder",
        ports,
        "--instruments",
        "rheo-a,rheo-b",
        "--seed",
        "7",
        "--period-seconds",
        "0.4",
        "--point-interval-ms",
        "5",
        "--control-every",
        "4",
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    cleanLater(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    });
    const [line]: unknown[] = await once(child.stdout, "data");
    expect(JSON.parse(String(line))).toMatchObject({
      ready: true,
      ports: [join(ports, "rheo-a"), join(ports, "rheo-b")],
    });
    return child;
  };
  const readLedger = () => ({
    entries: readFileSync(ledgerPath, "utf8")
      .trimEnd()
      .split("\n")
      .map((line): LedgerEntry => JSON.parse(line)),
  });
  const first = await serve();
  const { durable } = await startReader(ports);
  expect(await until(() => durable.size > 600, 5000)).toBe(true);
  // In the middle of a curve: it measures to its end and hands everything over.
  first.kill("SIGTERM");
  expect(await once(first, "exit")).toEqual([0, null]);
  expect(compare(readLedger(), durable).lost).toEqual([]);
  const kept = durable.size;
  await serve();
  expect(await until(() => durable.size > kept + 600, 8000)).toBe(true);
  const boots = new Set([...durable.values()].map((point) => `${point.instrument} ${point.boot}`));
  expect([...boots].sort()).toEqual(["rheo-a 1", "rheo-a 2", "rheo-b 1", "rheo-b 2"]);
  expect(compare(readLedger(), durable).invented).toEqual([]);
  expect(await until(() => compare(readLedger(), durable).lost.length <= 40, 5000)).toBe(true);
  // A process on the same clock: its own time of sampling is the truth.
  const truth = new Map(
    readLedger().entries.map((entry) => [
      `${entry.instrument}:${entry.boot}:${entry.sequence}`,
      entry.sampledMs,
    ]),
  );
  const errors = [...durable.values()]
    .map((point) => {
      const key = `${point.instrument}:${point.boot}:${point.sequence}`;
      return Math.abs(point.sampleTimeMs - (truth.get(key) ?? 0));
    })
    .sort((a, b) => a - b);
  console.info(
    `sample time error over a pseudo-terminal: p50 ${errors[errors.length >> 1]?.toFixed(2)} ms, p99 ${errors[Math.floor(0.99 * errors.length)]?.toFixed(2)} ms`,
  );
  expect(errors[errors.length >> 1]).toBeLessThan(20);
}, 30_000);
