import { expect, test } from "vitest";
import { simulatedSite } from "../../../simulator/instruments/site.ts";
import { compare, minutes, world } from "../test/world.ts";

test.each(["1", "2", "3", "4", "5"])(
  "whatever dies, hangs up or is lost on the way, every reading arrives and none is invented (seed %s)",
  async (seed) => {
    const w = world(
      simulatedSite({
        seed,
        instruments: 3,
        line: (random, clock) => ({
          clock,
          latencyMs: () => 1 + 19 * random.next(),
          // One write in fifty is damaged or swallowed.
          mangle: (bytes) => {
            const fate = random.next();
            if (fate < 0.01) return undefined;
            if (fate < 0.02) bytes[random.below(bytes.length)] = random.below(256);
            return bytes;
          },
        }),
      }),
    );
    const chaos = w.random.fork("chaos");
    const loss = w.random.fork("loss");
    let lossy = true;
    w.ipc.deliver = () => !lossy || loss.next() > 0.1;
    for (const instrument of w.instruments) instrument.start();
    let reader = await w.startReader();
    const happened = { readerKills: 0, uploaderKills: 0, hangUps: 0, restarts: 0, unplugs: 0 };
    for (let round = 0; round < 120; round++) {
      await w.run(minutes(4) * chaos.next());
      const instrument = w.instruments[chaos.below(w.instruments.length)];
      const what = chaos.below(6);
      if (what <= 1) {
        reader.kill();
        await w.run(20_000 * chaos.next());
        reader = await w.startReader();
        happened.readerKills++;
      } else if (what === 2) {
        w.uploader.kill();
        await w.run(60_000 * chaos.next());
        w.uploader.startAgain();
        happened.uploaderKills++;
      } else if (what === 3) {
        w.links.hangUp(instrument?.id ?? "");
        happened.hangUps++;
      } else if (what === 4 && chaos.next() < 0.2) {
        instrument?.start();
        happened.restarts++;
      } else if (what === 5) {
        w.links.unplug(instrument?.id ?? "");
        await w.run(10_000 * chaos.next());
        w.links.plug(instrument?.id ?? "");
        happened.unplugs++;
      }
    }
    // Faults end and the instruments rest: what is on the way comes through.
    lossy = false;
    for (const instrument of w.instruments) instrument.rest();
    await w.run(minutes(60));
    expect(Math.min(...Object.values(happened))).toBeGreaterThan(0);
    expect(w.ledger.entries.length).toBeGreaterThan(2000);
    expect(w.uploader.invalid).toEqual([]);
    expect(compare(w.ledger, w.uploader.durable)).toEqual({ lost: [], invented: [] });
    // And the acknowledgements came through to the end: the rings are empty, and none ran over.
    expect(w.instruments.map((instrument) => [instrument.unacknowledged, instrument.overwritten])).toEqual(
      w.instruments.map(() => [0, 0]),
    );
  },
  30_000,
);

test("a point that is published twice is the same point: same value, same quality, near the same time", async () => {
  const w = world(simulatedSite({ seed: "twice" }));
  w.instruments[0]?.start();
  let reader = await w.startReader();
  const first = new Map<string, number>();
  for (let round = 0; round < 10; round++) {
    await w.run(minutes(6));
    for (const [key, point] of w.uploader.durable) first.set(key, first.get(key) ?? point.value);
    // The acknowledgement to the instrument never leaves: the next reader reads all again.
    w.ipc.deliver = (topic) => topic !== "coalmine/acknowledgements";
    reader.kill();
    reader = await w.startReader();
  }
  expect(w.uploader.batches.length).toBeGreaterThan(20);
  const again = w.uploader.batches.flatMap((batch) => batch.points);
  expect(again.length).toBeGreaterThan(2 * first.size);
  for (const point of again) {
    const key = `${point.instrument}:${point.boot}:${point.sequence}:${point.channel}`;
    expect(point.value).toBe(first.get(key) ?? point.value);
  }
}, 30_000);

test("while nothing is acknowledged the reader keeps to its bound, the ring keeps the rest, and all of it arrives later", async () => {
  const w = world(simulatedSite(), { unacknowledgedMax: 100 });
  w.instruments[0]?.start();
  await w.startReader();
  w.uploader.kill();
  let unacknowledged = 0;
  void w.ipc.subscribe("coalmine/health/+", (_topic, message) => {
    if (!("json" in message)) return;
    const gauges = message.json["gauges"] as { unacknowledged: number };
    unacknowledged = Math.max(unacknowledged, gauges.unacknowledged);
  });
  await w.run(minutes(10 * 60));
  expect(unacknowledged).toBe(100);
  expect(w.instruments[0]?.unacknowledged).toBe(w.ledger.entries.length);
  expect(w.ledger.entries.length).toBe(2400);
  w.uploader.startAgain();
  // All 2,300 others are fetched as soon as the first acknowledgement makes room.
  await w.run(minutes(4));
  expect(compare(w.ledger, w.uploader.durable)).toEqual({ lost: [], invented: [] });
  expect(w.instruments[0]?.unacknowledged).toBe(0);
}, 30_000);

test("what is lost of a replay is asked for again at once, however often that happens", async () => {
  let isNoisy = false;
  let swallowed = 0;
  const w = world(
    simulatedSite({
      line: (random, clock) => ({
        clock,
        latencyMs: () => 2,
        // One write in four never arrives.
        mangle: (bytes) => {
          if (!isNoisy || bytes.length < 60 || random.next() > 0.25) return bytes;
          swallowed++;
          return undefined;
        },
      }),
    }),
    { batchSeconds: 1 },
  );
  w.instruments[0]?.start();
  await w.startReader();
  await w.run(minutes(1));
  w.links.unplug("rheo-0");
  await w.run(minutes(150));
  const waiting = w.instruments[0]?.unacknowledged ?? 0;
  expect(waiting).toBeGreaterThan(500);
  isNoisy = true;
  w.links.plug("rheo-0");
  // Two seconds for each of them, as for a replay that stops, would be more than that.
  await w.run(minutes(0.2));
  expect(swallowed).toBeGreaterThan(12);
  expect(w.instruments[0]?.unacknowledged).toBeLessThan(20);
  isNoisy = false;
  await w.run(minutes(4));
  expect(compare(w.ledger, w.uploader.durable)).toEqual({ lost: [], invented: [] });
}, 30_000);

test("readings that a full ring had to give up are said to be lost, and reading goes on", async () => {
  const w = world(simulatedSite({ instrument: { ringReadings: 40 } }));
  w.instruments[0]?.start();
  await w.startReader();
  await w.run(minutes(1));
  w.links.unplug("rheo-0");
  await w.run(minutes(60));
  w.links.plug("rheo-0");
  await w.run(minutes(1));
  expect(w.logged.map(({ message }) => message)).toContain(
    "readings are lost: the instrument's ring was full before they were read",
  );
  expect(compare(w.ledger, w.uploader.durable).lost).toHaveLength(w.instruments[0]?.overwritten ?? 0);
  expect(w.instruments[0]?.unacknowledged).toBe(0);
}, 30_000);
