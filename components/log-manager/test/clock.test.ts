import { expect, test } from "vitest";
import { loneComponent } from "../../../simulator/fleet/hosted/lone-component.ts";
import { World } from "./world.ts";

/** A device without a clock of its own: what it writes before it learns the time, and where that is put. */
const MORNING = Date.UTC(2026, 10, 23, 9);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Lines whose true time is known. */
class Device {
  readonly world: World;
  readonly #trueMs = new Map<string, number>();
  #lines = 0;

  constructor(seed = "clock", configuration: object = {}) {
    this.world = new World(loneComponent(seed, MORNING), { healthIntervalSeconds: 600, ...configuration });
  }

  write(name = "app.log", lines = 1): void {
    for (let n = 0; n < lines; n++) {
      const text = `line ${this.#lines++} ${"x".repeat(150)}`;
      this.#trueMs.set(text, Math.floor(this.world.given.clock.now()));
      this.world.write(name, text);
    }
  }

  get written(): number {
    return this.#lines;
  }

  /** How far the time of each event is from the truth, in the order of the lines. */
  errorsMs(): number[] {
    const errors = this.world.cloud.stored.map(({ message, timestampMs }) => {
      const text = String(JSON.parse(message).message);
      return { n: Number(text.split(" ")[1]), errorMs: timestampMs - (this.#trueMs.get(text) ?? Number.NaN) };
    });
    return errors.toSorted((a, b) => a.n - b.n).map(({ errorMs }) => errorMs);
  }
}

async function booted(skewMs: number, configuration: object = {}): Promise<Device> {
  const device = new Device("clock", configuration);
  device.world.skewMs = skewMs;
  device.world.cloud.weather.isOnline = false;
  await device.world.start();
  await device.world.run(5000);
  return device;
}
const zeros = (count: number) => Array.from({ length: count }, () => 0);

test.each([-400 * DAY, -3 * HOUR, -2 * MINUTE, 2 * MINUTE, 3 * HOUR, 400 * DAY])(
  "lines written while the clock was %d ms off go with their right time, their text as it was",
  async (skewMs) => {
    const device = await booted(skewMs);
    const { world } = device;
    for (let n = 0; n < 20; n++) {
      device.write();
      await world.run(n === 10 ? 2 * HOUR : 10 * MINUTE);
    }
    world.skewMs = 0;
    device.write();
    world.cloud.weather.isOnline = true;
    await world.run(10 * MINUTE);
    device.write();
    await world.run(10 * MINUTE);
    expect(device.errorsMs()).toEqual(zeros(22));
    // Both times are there: the line states the one that it was written with.
    const [first] = world.cloud.stored;
    expect((first?.timestampMs ?? 0) - JSON.parse(first?.message ?? "{}").timestamp).toBe(-skewMs);
    expect(new Set(world.cloud.stored.map(({ put }) => put.stream)).size).toBe(1);
    expect(world.counters()).toMatchObject({ correctedEvents: 20, clockSteps: 1, uploadedLines: 22 });
    expect(world.deadLetters()).toEqual([]);
    await world.stop();
  },
);

test("also after log-manager was stopped, killed, or lost its power in between", async () => {
  const device = await booted(-400 * DAY);
  const { world } = device;
  device.write("app.log", 5);
  await world.run(10 * MINUTE);
  world.skewMs = 0;
  await world.run(2 * MINUTE);
  for (const end of [() => world.stop(), async () => world.kill(false), async () => world.kill(true)]) {
    await end();
    await world.start();
    await world.run(MINUTE);
    device.write();
    await world.run(MINUTE);
  }
  world.cloud.weather.isOnline = true;
  await world.run(10 * MINUTE);
  expect(device.errorsMs()).toEqual(zeros(8));
  await world.stop();
});

test("lines from before log-manager ran, and what went before the step, stay as they are", async () => {
  const skewMs = -3 * HOUR;
  const device = new Device();
  const { world } = device;
  world.skewMs = skewMs;
  world.cloud.weather.isOnline = false;
  device.write("app.log", 2);
  await world.start();
  await world.run(5000);
  device.write("app.log", 2);
  world.cloud.weather.isOnline = true;
  await world.run(10 * MINUTE);
  world.cloud.weather.isOnline = false;
  device.write("app.log", 2);
  await world.run(MINUTE);
  world.skewMs = 0;
  world.cloud.weather.isOnline = true;
  await world.run(10 * MINUTE);
  expect(device.errorsMs()).toEqual([skewMs, skewMs, skewMs, skewMs, 0, 0]);
  await world.stop();
  const other = new Device();
  other.world.skewMs = skewMs;
  other.world.cloud.weather.isOnline = false;
  other.write("app.log", 2);
  await other.world.start();
  await other.world.run(5000);
  other.world.skewMs = 0;
  other.world.cloud.weather.isOnline = true;
  await other.world.run(10 * MINUTE);
  expect(other.errorsMs()).toEqual([skewMs, skewMs]);
  await other.world.stop();
});

test("where the clock was right and is set wrong, what was written stays right; set back, what was written since is", async () => {
  const device = await booted(0);
  const { world } = device;
  world.cloud.weather.isOnline = true;
  device.write();
  await world.run(MINUTE);
  world.cloud.weather.isOnline = false;
  device.write("app.log", 3);
  await world.run(10 * MINUTE);
  world.skewMs = -5 * HOUR;
  await world.run(10 * MINUTE);
  device.write("app.log", 3);
  await world.run(10 * MINUTE);
  world.skewMs = 0;
  device.write();
  world.cloud.weather.isOnline = true;
  await world.run(10 * MINUTE);
  expect(device.errorsMs()).toEqual(zeros(8));
  expect(world.counters()).toMatchObject({ correctedEvents: 3, clockSteps: 2 });
  await world.stop();
});

test("a line that states no time has that of the line before, corrected, or of its file, by whichever clock that is", async () => {
  const device = await booted(-400 * DAY);
  const { world } = device;
  const stamp = (ms: number) => new Date(ms).toISOString();
  const beforeMs = world.given.clock.now();
  const undated = world.disk.create("app.log.1");
  world.disk.append(undated, "{}\n");
  const node = world.disk.create("app.log");
  world.disk.append(node, `${stamp(beforeMs - 400 * DAY)} dated\n{"undated":1}\n`);
  await world.run(10 * MINUTE);
  world.skewMs = 0;
  await world.run(2 * MINUTE);
  world.disk.append(node, '{"undated":2}\n');
  const late = world.disk.create("app.log.2");
  world.disk.append(late, '{"undated":3}\n');
  const lateMs = world.given.clock.now();
  world.cloud.weather.isOnline = true;
  await world.run(10 * MINUTE);
  const times = new Map(
    world.cloud.stored.map(({ message, timestampMs }) => [
      message.replace(/^\S+ dated/, "dated"),
      timestampMs,
    ]),
  );
  expect(Object.fromEntries(times)).toEqual({
    "{}": beforeMs,
    dated: beforeMs,
    '{"undated":1}': beforeMs,
    '{"undated":2}': beforeMs,
    '{"undated":3}': lateMs,
  });
  await world.stop();
});

test("through random steps, rotations and restarts of a device that is offline every line has its time in the end", async () => {
  for (let seed = 0; seed < 60; seed++) {
    const device = new Device(`steps/${seed}`);
    const { world } = device;
    const random = world.given.random.fork("steps");
    const { disk } = world;
    disk.tellsOfChanges = random.next() < 0.7;
    world.skewMs = -400 * DAY;
    world.cloud.weather.isOnline = false;
    await world.start();
    await world.run(5000);
    let rotations = 0;
    let steps = 0;
    const stepsAtBirth = new Map<unknown, number>();
    const act: (() => Promise<void> | void)[] = [
      () => device.write("app.log", 1 + random.below(5)),
      () => device.write("app.log", 1 + random.below(5)),
      () => disk.rename("app.log", `app.log.${++rotations}`),
      () => {
        const node = disk.names.get("app.log");
        // What was copied, and cut, before anybody looked keeps the time that it states.
        if (node === undefined || stepsAtBirth.get(node) !== steps) return;
        disk.copy(node, `app.log.${++rotations}`);
        disk.truncate(node);
      },
      () => {
        world.skewMs = [-400 * DAY, -30 * DAY, 20 * DAY, 0][random.below(4)] ?? 0;
        steps++;
        // Until it is found.
        return world.run(2 * MINUTE);
      },
      async () => {
        // Of lines that a run before wrote by a wrong clock nothing is known.
        if (world.skewMs !== 0) return;
        await world.run(MINUTE);
        await world.stop();
        await world.start();
        await world.run(5000);
      },
    ];
    for (let step = 0; step < 15; step++) {
      await act[random.below(act.length)]?.();
      for (const node of disk.names.values()) if (!stepsAtBirth.has(node)) stepsAtBirth.set(node, steps);
      await world.run([10, 3000, 7 * MINUTE][random.below(3)] ?? 0);
    }
    await world.run(7 * MINUTE);
    world.skewMs = 0;
    world.cloud.weather.isOnline = true;
    await world.run(15 * MINUTE);
    expect(device.errorsMs(), `seed ${seed}`).toEqual(zeros(device.written));
    await world.stop();
  }
});
