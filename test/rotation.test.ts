import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import type { RotatedFleet } from "./rotating-fleet.ts";

const isLong = process.env["COALMINE_LONG"] === "1";
const DEVICES = isLong ? 50 : 4;
const LIMIT_MS = isLong ? 1_800_000 : 180_000;

async function rotated(): Promise<RotatedFleet> {
  const folder = mkdtempSync(join(tmpdir(), "rotation-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const words = ["--devices", String(DEVICES), "--running", inject("built").dist, "--artifacts", folder];
  const child = spawn(process.execPath, [join(import.meta.dirname, "rotating-fleet.ts"), ...words], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill());
  let out = "";
  child.stdout.on("data", (text: Buffer) => (out += text.toString()));
  const code = await new Promise<number | null>((ended) => child.on("close", ended));
  expect(code).toBe(0);
  return JSON.parse(out.trimEnd().split("\n").at(-1) ?? "") as RotatedFleet;
}

test(
  `${DEVICES} whole devices change their certificates while they measure: the former are revoked and refused, nothing is lost or doubled`,
  async () => {
    const fleet = await rotated();
    const { cut, failures, readings } = fleet;
    const { sent } = readings;
    expect(fleet).toEqual({
      devices: DEVICES,
      changed: DEVICES,
      cut,
      failures,
      revoked: DEVICES,
      sole: DEVICES,
      refused: DEVICES,
      readings: { sent, rows: sent, lost: 0, doubled: 0, unknown: 0 },
      examples: [],
    });
    // Those without a network when it was their turn tried in vain, and no others did.
    expect(cut.length).toBeGreaterThanOrEqual(2);
    expect(new Set(failures.map(({ thing }) => thing))).toEqual(new Set(cut));
    // A curve of many points a minute, over half an hour.
    expect(sent).toBeGreaterThan(DEVICES * 20 * 20);
  },
  LIMIT_MS,
);
