import { nodeCrypto } from "@coalmine/device/crypto";
import { DurableLog } from "@coalmine/durable-log";
import { CalibrationCurve, factoryCalibration } from "@coalmine/instrument";
import { expect, test } from "vitest";
import { simulatedSite } from "../../../simulator/instruments/site.ts";
import { minutes, world } from "../test/world.ts";

const curve = (version: number): CalibrationCurve =>
  CalibrationCurve.parse({
    ...factoryCalibration,
    id: `lab-${version}`,
    kind: "polynomial",
    coefficients: [0, 1 + version / 100],
  });
const asJson = (of: CalibrationCurve) => ({ calibration: JSON.parse(JSON.stringify(of)) });

test("every point carries the calibration that was in force when it was sampled, over changes while it runs, while the line is gone, and over crashes", async () => {
  const w = world(simulatedSite({ instruments: 2 }), asJson(curve(0)));
  const chaos = w.random.fork("chaos");
  for (const instrument of w.instruments) instrument.start();
  let reader = await w.startReader();
  const changes = [{ atMs: -Infinity, id: "lab-0" }];
  const published = new Map<string, string>();
  for (let version = 1; version <= 24; version++) {
    await w.run(minutes(9) * chaos.next());
    const how = version % 4;
    if (how === 1) w.links.unplug("rheo-0");
    // The line's last words, and nobody takes what is published.
    if (how === 2) w.uploader.kill();
    await w.run(minutes(6) * chaos.next());
    if (how === 3) reader.kill();
    // Between the change and the first reading, a moment that has neither on its edge.
    await w.run(10);
    changes.push({ atMs: w.clock.now(), id: `lab-${version}` });
    await w.ipc.updateConfiguration([], asJson(curve(version)));
    await w.run(minutes(6) * chaos.next());
    if (how === 1) w.links.plug("rheo-0");
    if (how === 2) {
      reader.kill();
      w.uploader.startAgain();
    }
    if (how >= 2) reader = await w.startReader();
    // Where the reader was not there, a version is in force from its start on.
    if (how === 3) changes.splice(-1, 1, { atMs: w.clock.now(), id: `lab-${version}` });
  }
  for (const instrument of w.instruments) instrument.rest();
  await w.run(minutes(30));

  const sampled = new Map(
    w.ledger.entries.map((entry) => [`${entry.instrument}:${entry.boot}:${entry.sequence}`, entry.sampledMs]),
  );
  const wrong = [];
  for (const { points } of w.uploader.batches)
    for (const point of points) {
      const reading = `${point.instrument}:${point.boot}:${point.sequence}`;
      const atMs = sampled.get(reading) ?? Number.NaN;
      // Within its error a reading at the very edge may be either's; but never both's.
      const isEdge = changes.some(
        (change) => Math.abs(change.atMs - atMs) <= point.sampleTimeUncertaintyMs + 2,
      );
      const expected = changes.findLast((change) => change.atMs <= atMs)?.id;
      if (!isEdge && point.calibrationId !== expected) wrong.push([reading, point.calibrationId, expected]);
      expect(point.calibrationId).toBe(published.get(reading) ?? point.calibrationId);
      published.set(reading, point.calibrationId);
    }
  expect(wrong).toEqual([]);
  expect(published.size).toBe(w.ledger.entries.length);
  expect(new Set(published.values()).size).toBeGreaterThan(15);
}, 60_000);

test("a curve that was replaced is still on disk by its id, with its time and the first reading it made; the oldest go at the bound", async () => {
  const w = world(
    simulatedSite({ instrument: { periodMs: 60_000, pointIntervalMs: 500 } }),
    asJson(curve(0)),
  );
  w.instruments[0]?.start();
  const reader = await w.startReader();
  await w.run(minutes(3));
  await w.ipc.updateConfiguration([], asJson(curve(1)));
  await w.run(minutes(3));
  reader.kill();
  const entries = async () => {
    const log = await DurableLog.open({
      files: w.files,
      clock: w.clock,
      crypto: nodeCrypto,
      folder: "calibrations",
    });
    const found: Record<string, unknown>[] = [];
    for await (const { records } of log.read(log.first))
      for (const { payload } of records) found.push(JSON.parse(new TextDecoder().decode(payload)));
    await log.close();
    return found;
  };
  const [first, began, second, beganAgain, ...others] = await entries();
  expect(others).toEqual([]);
  expect([first, second]).toMatchObject([{ curve: curve(0) }, { curve: curve(1) }]);
  expect(began).toMatchObject({
    instrument: "rheo-0",
    boot: 1,
    sequence: 0,
    versionSinceMs: first?.["sinceMs"],
  });
  const firstByNew = Math.min(
    ...[...w.uploader.durable.values()]
      .filter((point) => point.calibrationId === "lab-1")
      .map(({ sequence }) => sequence),
  );
  expect(beganAgain).toMatchObject({ sequence: firstByNew, versionSinceMs: second?.["sinceMs"] });

  await w.startReader();
  for (let version = 2; version < 900; version++) {
    await w.ipc.updateConfiguration([], asJson(curve(version)));
    await w.run(10);
  }
  expect(w.files.usedBytes()).toBeLessThan(300 * 1024);
  expect(
    (await entries()).some((entry) => (entry["curve"] as CalibrationCurve | undefined)?.id === "lab-899"),
  ).toBe(true);
}, 60_000);
