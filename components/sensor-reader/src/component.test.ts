import { ComponentHealth, healthKeys } from "@coalmine/contract";
import { factoryCalibration } from "@coalmine/instrument";
import { expect, test } from "vitest";
import { simulatedSite } from "../../../simulator/instruments/site.ts";
import { compare, minutes, world } from "../test/world.ts";

function healthOf(w: { ipc: { subscribe: (...args: never[]) => unknown } }) {
  const heard: ComponentHealth[] = [];
  const subscribe = w.ipc.subscribe as (
    filter: string,
    receive: (topic: string, message: { json?: unknown }) => void,
  ) => unknown;
  subscribe.call(w.ipc, "coalmine/health/+", (_topic, message) => {
    heard.push(ComponentHealth.parse(message.json));
  });
  return heard;
}

test("reads every curve, one batch a curve where the instrument sends curves, named by its range", async () => {
  const w = world(simulatedSite({ instruments: 2, instrument: { transmit: "curve" } }));
  for (const instrument of w.instruments) instrument.start();
  await w.startReader();
  await w.run(minutes(59));
  expect(compare(w.ledger, w.uploader.durable)).toEqual({ lost: [], invented: [] });
  const names = w.uploader.batches.map(({ batch }) => batch).filter((name) => name.includes("rheo-0"));
  expect(names).toEqual(
    Array.from({ length: 12 }, (_, curve) => `SensorReader:rheo-0:1:${20 * curve}-${20 * curve + 19}`),
  );
  expect(w.uploader.batches.every(({ points }) => points.length === 100)).toBe(true);
});

test("points leave within the batch time, not at the end of the curve", async () => {
  const w = world(simulatedSite(), { batchSeconds: 1 });
  w.instruments[0]?.start();
  await w.startReader();
  await w.run(10_000);
  const delays = w.uploader.batches.map(({ points }) => points.length);
  expect(delays.length).toBeGreaterThanOrEqual(5);
  expect(Math.max(...delays)).toBeLessThanOrEqual(15);
});

test("sample times are the instrument's own, within their stated error, on a line with jitter", async () => {
  const w = world(
    simulatedSite({
      instruments: 2,
      line: (random, clock) => ({ clock, latencyMs: () => 1 + 19 * random.next() }),
    }),
  );
  for (const instrument of w.instruments) instrument.start();
  await w.startReader();
  await w.run(minutes(180));
  const truth = new Map(
    w.ledger.entries.map((entry) => [`${entry.instrument}:${entry.boot}:${entry.sequence}`, entry.sampledMs]),
  );
  const points = [...w.uploader.durable.values()];
  expect(points.length).toBeGreaterThan(7000);
  const covered = points.filter((point) => {
    const trueMs = truth.get(`${point.instrument}:${point.boot}:${point.sequence}`) ?? 0;
    return Math.abs(point.sampleTimeMs - trueMs) <= point.sampleTimeUncertaintyMs;
  });
  expect(covered.length / points.length).toBeGreaterThan(0.95);
  // Within ten minutes of unknown drift beside the round trip.
  expect(Math.max(...points.map((point) => point.sampleTimeUncertaintyMs))).toBeLessThan(100);
});

test("health carries exactly the agreed keys each interval, and the residual against the control fluid", async () => {
  const w = world(simulatedSite({ instruments: 2 }), { healthIntervalSeconds: 30 });
  const heard = healthOf(w);
  for (const instrument of w.instruments) instrument.start();
  await w.startReader();
  await w.run(minutes(61));
  expect(heard).toHaveLength(123);
  const last = heard.at(-1);
  expect(Object.keys(last?.counters ?? {})).toEqual(healthKeys.sensorReader.counters);
  expect(Object.keys(last?.gauges ?? {})).toEqual(healthKeys.sensorReader.gauges);
  expect(Object.keys(last?.sums ?? {})).toEqual(healthKeys.sensorReader.sums);
  expect(last?.gauges).toEqual({
    unacknowledged: 0,
    backlogBytes: 0,
    portsOpen: 2,
    sampleMs: 0,
    updateWaitsMs: 0,
  });
  expect(last?.counters).toMatchObject({
    readings: 500,
    published: 500,
    acknowledged: 500,
    gaps: 0,
    reconnects: 0,
  });
  const residual = last?.sums["controlResidual"];
  expect(residual?.count).toBe(60);
  expect((residual?.sum ?? 1) / (residual?.count ?? 1)).toBeLessThan(0.02);
});

test("a sensor that has gone wrong shows in the residual", async () => {
  const w = world(simulatedSite());
  const heard = healthOf(w);
  const [rheometer] = w.rheometers;
  if (rheometer !== undefined) rheometer.gainFault = 1.15;
  w.instruments[0]?.start();
  await w.startReader();
  await w.run(minutes(2));
  const residual = heard.at(-1)?.sums["controlResidual"];
  expect((residual?.sum ?? 0) / (residual?.count ?? 1)).toBeGreaterThan(0.1);
});

test("a configuration that cannot be used is refused with the same sentence at start and before a deployment", async () => {
  const bad = { baudRate: 5, ports: "all" };
  const sentence = /"baudRate" is 5/;
  const w = world(simulatedSite(), bad);
  await expect(w.startReader()).rejects.toThrow(sentence);
  const good = world(simulatedSite());
  await good.startReader();
  expect(await good.ipc.validate({ baudRate: 9600 })).toEqual([{ status: "ACCEPTED" }]);
  const [answer] = await good.ipc.validate(bad);
  expect(answer?.status === "REJECTED" && answer.message).toMatch(sentence);
});

test("a new calibration takes effect with the next reading, without a restart", async () => {
  const w = world(simulatedSite());
  w.instruments[0]?.start();
  await w.startReader();
  await w.run(minutes(4));
  const calibration = { ...factoryCalibration, id: "lab-2026-02", coefficients: [0, 2] };
  await w.ipc.updateConfiguration([], { calibration: JSON.parse(JSON.stringify(calibration)) });
  await w.run(minutes(5));
  const used = [...w.uploader.durable.values()].map((point) => [
    Math.floor(point.sequence / 20),
    point.calibrationId,
  ]);
  expect([...new Set(used.map(([curve, id]) => `${curve} ${id}`))]).toEqual(["0 factory-1", "1 lab-2026-02"]);
});

test("only the ports that are named are read, and a change of the list is followed", async () => {
  const w = world(simulatedSite({ instruments: 3 }), { ports: ["rheo-1"] });
  for (const instrument of w.instruments) instrument.start();
  await w.startReader();
  await w.run(minutes(4));
  const read = () => [...new Set([...w.uploader.durable.values()].map((point) => point.instrument))].sort();
  expect(read()).toEqual(["rheo-1"]);
  await w.ipc.updateConfiguration([], { ports: ["rheo-1", "rheo-2"] });
  await w.run(minutes(4));
  expect(read()).toEqual(["rheo-1", "rheo-2"]);
  // Two curves wait in the ring of the one that nobody reads.
  expect(w.instruments[0]?.unacknowledged).toBe(40);
});

test("a port that is plugged in is read at once, and one that comes back goes on within half a second", async () => {
  const w = world(simulatedSite({ instrument: { periodMs: 2000, pointIntervalMs: 50 } }));
  w.links.unplug("rheo-0");
  w.instruments[0]?.start();
  await w.startReader();
  await w.run(minutes(1));
  expect(w.uploader.durable.size).toBe(0);
  w.links.plug("rheo-0");
  w.uploader.commitMs = 1;
  await w.run(2600);
  expect(compare(w.ledger, w.uploader.durable).lost.length).toBeLessThanOrEqual(40);
  for (let round = 0; round < 20; round++) {
    const before = w.uploader.batches.length;
    w.links.unplug("rheo-0");
    await w.run(3000);
    expect(w.uploader.batches.length).toBeLessThanOrEqual(before + 1);
    const missed = w.ledger.entries.length;
    w.links.plug("rheo-0");
    await w.run(500);
    // What was measured meanwhile has been read and published, but for the batch that is forming.
    expect(w.uploader.durable.size).toBeGreaterThanOrEqual(5 * (missed - 20));
  }
});

test("an update waits for a running curve, says at once since when it runs, and waits no longer than configured", async () => {
  const w = world(simulatedSite({ instrument: { pointIntervalMs: 5000 } }), { deferUpdateMaxSeconds: 20 });
  w.instruments[0]?.start();
  const { running } = await w.startReader();
  await w.run(500);
  expect(await w.ipc.beforeUpdate()).toEqual([0]);
  const heard = healthOf(w);
  await w.run(10_000);
  let askedSeconds = 0;
  while ((await w.ipc.beforeUpdate())[0] !== 0) {
    await w.run(0);
    const { sampleMs = 0, updateWaitsMs } = heard.at(-1)?.gauges ?? {};
    if (askedSeconds === 0) expect([sampleMs > 1 && sampleMs <= 10_500, updateWaitsMs]).toEqual([true, 1]);
    askedSeconds++;
    await w.run(1000);
  }
  expect(askedSeconds).toBe(20);
  await w.run(minutes(1));
  expect(heard.at(-1)?.gauges).toMatchObject({ updateWaitsMs: 0 });
  await w.run(minutes(3));
  expect(await w.ipc.beforeUpdate()).toEqual([0]);
  await running.stop(new AbortController().signal);
  await w.run(minutes(10));
  expect(await w.links.open({ kind: "serial", id: "rheo-0", baudRate: 9600 })).toBeDefined();
});

test("readings of a boot that ended while nobody watched arrive, marked as not dated", async () => {
  const w = world(simulatedSite());
  const [instrument] = w.instruments;
  instrument?.start();
  await w.run(minutes(4));
  instrument?.start();
  await w.run(minutes(1));
  await w.startReader();
  await w.run(minutes(1));
  expect(compare(w.ledger, w.uploader.durable)).toEqual({ lost: [], invented: [] });
  const points = [...w.uploader.durable.values()].filter(({ channel }) => channel === "control-temperature");
  const ofBoot = (boot: number) => points.filter((point) => point.boot === boot);
  expect(ofBoot(1).map(({ quality }) => quality)).toEqual(
    Array.from({ length: 20 }, () => ({ level: "uncertain", cause: "stale" })),
  );
  expect(ofBoot(2).map(({ quality }) => quality.level)).toEqual(Array.from({ length: 20 }, () => "good"));
  for (const point of ofBoot(1)) {
    const truth = w.ledger.entries.find(({ boot, sequence }) => boot === 1 && sequence === point.sequence);
    expect(Math.abs(point.sampleTimeMs - (truth?.sampledMs ?? 0))).toBeLessThan(
      point.sampleTimeUncertaintyMs,
    );
  }
});

test("an instrument that lost its boot counter is complained of", async () => {
  const w = world(simulatedSite({ instrument: { bootsBefore: 5 } }));
  w.instruments[0]?.start();
  await w.startReader();
  await w.run(minutes(1));
  w.links.unplug("rheo-0");
  const [replaced] = simulatedSite().instruments;
  expect(replaced?.id).toBe("rheo-0");
  w.links.replace(replaced as NonNullable<typeof replaced>);
  replaced?.start();
  w.links.plug("rheo-0");
  await w.run(minutes(1));
  expect(w.logged.map(({ message }) => message).join()).toContain("boot counter went back");
});

test("a port with nothing behind it is tried again at growing intervals, and complained of once", async () => {
  const w = world(simulatedSite(), { ports: ["rheo-0", "gone"] });
  // Unpowered: it opens, but nothing answers.
  await w.startReader();
  await w.run(minutes(30));
  const about = (port: string) => w.logged.filter(({ fields }) => fields?.["port"] === port);
  expect(about("gone")).toHaveLength(1);
  expect(about("rheo-0").map(({ fields }) => fields?.["why"])).toEqual(["nothing answers as an instrument"]);
});

test("the same seed gives the same run, to the last batch", async () => {
  const run = async () => {
    const w = world(
      simulatedSite({
        seed: "same",
        line: (random, clock) => ({ clock, latencyMs: () => 10 * random.next() }),
      }),
    );
    w.instruments[0]?.start();
    await w.startReader();
    await w.run(minutes(30));
    return JSON.stringify(w.uploader.batches);
  };
  expect(await run()).toBe(await run());
});
