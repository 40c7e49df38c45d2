import { expect, test } from "vitest";
import { loneComponent } from "../../../simulator/fleet/hosted/lone-component.ts";
import { component, imbalance, World } from "./world.ts";

/** What the component's README promises beside what happens to files. */
const MORNING = Date.UTC(2026, 10, 23, 9);
const DAY = 24 * 3_600_000;
/** The nucleus kills a component that is still there this long after SIGTERM. */
const NUCLEUS_KILL_MS = 5000;

async function world(configuration: object = {}): Promise<World> {
  const made = new World(loneComponent("promises", MORNING), {
    healthIntervalSeconds: 1,
    ...configuration,
  });
  await made.start();
  return made;
}

const namedBytes = (it: World) =>
  [...it.disk.names.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);

test("disk limits: the hard one holds through an hour offline, and what went is counted to the line", async () => {
  const it = await world({ logs: { diskSpaceHardLimit: 20 } });
  it.cloud.weather.isOnline = false;
  for (let n = 0; n < 40; n++) {
    it.disk.rename("app.log", `app.log.${n}`);
    for (let line = 0; line < 4; line++) it.write("app.log", `${n}/${line} ${"x".repeat(400)}`);
    await it.run(90_000);
    expect(namedBytes(it)).toBeLessThanOrEqual(20 * 1024);
  }
  const { lostLines = 0 } = it.counters();
  expect(lostLines).toBeGreaterThan(100);
  it.cloud.weather.isOnline = true;
  await it.run(900_000);
  expect(it.texts().length + lostLines).toBe(40 * 4);
  expect(it.health.map(imbalance).filter((difference) => difference !== 0)).toEqual([]);
  await it.stop();
});

test("disk limits: the soft one never removes what was not uploaded", async () => {
  const it = await world({ logs: { diskSpaceLimit: 1 } });
  it.cloud.weather.isOnline = false;
  for (const name of ["app.log.1", "app.log.2", "app.log"]) it.write(name, name.repeat(100));
  await it.run(3_600_000);
  expect(it.disk.names.size).toBe(3);
  it.cloud.weather.isOnline = true;
  await it.run(900_000);
  expect(it.texts()).toHaveLength(3);
  expect([...it.disk.names.keys()]).toEqual(["app.log"]);
  await it.stop();
});

test("rate: all sources together keep to it, tries that failed included, and every line arrives", async () => {
  const names = Array.from({ length: 12 }, (_, n) => `s${n}`);
  const it = await world({
    cloudWatch: { requestsPerSecond: 2 },
    logsUploaderConfiguration: {
      componentLogsConfigurationMap: Object.fromEntries(
        names.map((name) => [name, { logFileRegex: `^${name}[.]log$`, logFileDirectoryPath: "/logs" }]),
      ),
    },
  });
  it.cloud.weather.throttled = 0.5;
  for (let n = 0; n < 20; n++) {
    for (const name of names) it.write(`${name}.log`, `${name}/${n}`);
    await it.run(1000);
  }
  it.cloud.weather.throttled = 0;
  await it.run(60_000);
  expect(it.texts().toSorted()).toEqual(
    names.flatMap((name) => Array.from({ length: 20 }, (_, n) => `${name}/${n}`)).toSorted(),
  );
  const { putsMs } = it.cloud;
  for (const fromMs of putsMs)
    for (const seconds of [1, 10])
      expect(
        putsMs.filter((atMs) => atMs >= fromMs && atMs < fromMs + seconds * 1000).length,
      ).toBeLessThanOrEqual(2 + seconds * 2);
  // It is the rate that holds them up.
  expect(it.counters()["delayedRequests"]).toBeGreaterThan(30);
  await it.stop();
});

test("dead letters: each rejected event is on disk with its cause, also after the power goes", async () => {
  const it = await world();
  it.write("app.log", "too old", { timestamp: MORNING - 15 * DAY });
  it.write("app.log", "too new", { timestamp: MORNING + DAY });
  it.write("app.log", "of now");
  await it.run(10_000);
  it.kill(true);
  expect(
    it
      .deadLetters()
      .map(({ cause }) => cause)
      .toSorted(),
  ).toEqual(["tooNew", "tooOld"]);
});

test("dead letters: they stay within their limit, and those that went are counted", async () => {
  const it = await world({ deadLetterLimitKB: 8 });
  for (let n = 0; n < 100; n++)
    it.write("app.log", `${n} ${"x".repeat(200)}`, { timestamp: MORNING - 15 * DAY });
  await it.run(10_000);
  const kept = it.deadLetters().length;
  const bytes = [...it.work.contents()]
    .filter(([name]) => name.startsWith("rejected"))
    .reduce((sum, [, content]) => sum + content.length, 0);
  expect(bytes).toBeLessThanOrEqual(8 * 1024);
  expect(kept).toBeGreaterThan(5);
  expect(it.counters()["deadLettersDropped"]).toBe(100 - kept);
  await it.stop();
});

test("dead letters: an event that the service refuses for good goes there alone", async () => {
  const it = await world();
  it.cloud.refusesEvent = (message) => message.includes("poison");
  for (const text of ["one", "two", "poison", "three"]) it.write("app.log", text);
  await it.run(10_000);
  expect(it.texts()).toEqual(["one", "two", "three"]);
  expect(it.deadLetters()).toMatchObject([{ cause: "invalid" }]);
  await it.stop();
});

test("upgrade: the positions of the version before are taken over, and nothing goes again", async () => {
  const it = new World(loneComponent("upgrade", MORNING));
  const node = it.write("app.log", "sent by the version before");
  const { crypto } = it.given;
  const mark = Array.from(crypto.sha256(node.bytes.slice(-64)).subarray(0, 8), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
  const old = { version: 1, positions: { [`1:${node.inode}`]: { offset: node.bytes.length, mark } } };
  await writeWork(it, "positions.json", JSON.stringify(old));
  it.write("app.log", "sent by this version");
  await it.start();
  await it.run(10_000);
  expect(it.texts()).toEqual(["sent by this version"]);
  await it.stop();
});

test("upgrade: a position of the version before that fits the file no more is passed over", async () => {
  const it = new World(loneComponent("upgrade", MORNING));
  const node = it.write("app.log", "another file on the same inode, longer than the offset");
  const old = { version: 1, positions: { [`1:${node.inode}`]: { offset: 40, mark: "0123456789abcdef" } } };
  await writeWork(it, "positions.json", JSON.stringify(old));
  await it.start();
  await it.run(10_000);
  expect(it.texts()).toHaveLength(1);
  await it.stop();
});

test.each(["", "{", "null", '{"version":3}'])(
  "upgrade: positions that cannot be read send lines again rather than not at all: %j",
  async (content) => {
    const it = new World(loneComponent("upgrade", MORNING));
    it.write("app.log", "a line");
    await writeWork(it, "tracked.json", content);
    await it.start();
    await it.run(10_000);
    expect(it.texts()).toEqual(["a line"]);
    await it.stop();
  },
);

test("live tail: new events are on the local topic within a second, also offline, and redacted", async () => {
  const it = await world({ publishLocally: true });
  const heard: { atMs: number; message: unknown }[] = [];
  await it.ipc.subscribe(`coalmine/logs/${component}`, (_topic, message) =>
    heard.push({ atMs: it.given.clock.now(), message }),
  );
  await it.run(1000);
  const writtenMs = it.given.clock.now();
  it.write("app.log", "signed with Bearer abcdefghijklmnop");
  await it.run(2000);
  expect(heard).toMatchObject([
    { message: { json: { version: 1, component, dropped: 0, events: [{ level: "INFO" }] } } },
  ]);
  expect(JSON.stringify(heard)).toContain("signed with [bearerToken]");
  expect((heard[0]?.atMs ?? Infinity) - writtenMs).toBeLessThanOrEqual(1000);
  it.cloud.weather.isOnline = false;
  it.write("app.log", "offline");
  await it.run(2000);
  expect(JSON.stringify(heard.at(-1))).toContain("offline");
  await it.stop();
});

test("live tail: a flood is cut short on the local topic, counted, and goes whole to the cloud", async () => {
  const it = await world({ publishLocally: true });
  const events: number[] = [];
  await it.ipc.subscribe(`coalmine/logs/${component}`, (_topic, message) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the component under test published.
    if ("json" in message) events.push((message.json as unknown as { events: unknown[] }).events.length);
  });
  for (let n = 0; n < 1000; n++) it.write("app.log", `flood ${n}`);
  await it.run(10_000);
  const told = events.reduce((sum, count) => sum + count, 0);
  expect(Math.max(...events)).toBeLessThanOrEqual(100);
  expect(it.counters()["localEventsDropped"]).toBe(1000 - told);
  expect(it.texts()).toHaveLength(1000);
  await it.stop();
});

test("redaction: a PEM block over many lines leaves the device in no form, however it is written", async () => {
  const it = await world({ publishLocally: true });
  const heard: unknown[] = [];
  await it.ipc.subscribe(`coalmine/logs/${component}`, (_topic, message) => void heard.push(message));
  const secret = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw", "ggSjAgEAAoIBAQC7VJTUt9Us8cKj", "short+line=="];
  const node = it.disk.create("app.log");
  it.disk.append(node, "2026-11-23 09:00:00 INFO key follows\n-----BEGIN PRIVATE KEY-----\n");
  for (const line of secret) {
    // Longer than a line without its end is held, so that each is shown before it is whole.
    it.disk.append(node, line);
    await it.run(20_000);
    it.disk.append(node, "\n");
  }
  it.disk.append(node, "-----END PRIVATE KEY-----\n2026-11-23 09:00:01 INFO after\n");
  await it.run(20_000);
  const left = JSON.stringify([it.messages(), heard, it.deadLetters()]);
  for (const line of secret) expect(left).not.toContain(line.slice(0, 12));
  expect(it.messages().at(-1)).toContain("INFO after");
  await it.stop();
});

test.each([
  ["nothing to do", () => undefined],
  ["a request that is never answered", (it: World) => void (it.cloud.isSilent = true)],
  ["no network", (it: World) => void (it.cloud.weather.isOnline = false)],
  [
    "S3 that never answers",
    async (it: World) => {
      let asked = 0;
      it.given.bucket.objects.put = () => (asked++, new Promise(() => undefined));
      await it.ipc.updateConfiguration([], { deadLetters: { bucket: "letters" }, deadLetterLimitKB: 1 });
      for (let n = 0; n < 20; n++) it.write("app.log", `old ${n}`, { timestamp: MORNING - 15 * DAY });
      await it.run(10_000);
      expect(asked).toBe(1);
    },
  ],
  ["a service that throttles", (it: World) => void (it.cloud.weather.throttled = 1)],
  [
    "a local topic that is never answered",
    (it: World) => void (it.ipc.publish = () => new Promise(() => undefined)),
  ],
])("stops before the nucleus kills it, with %s", async (_, make) => {
  const it = await world();
  it.write("app.log", "one");
  await it.run(5000);
  await make(it);
  for (let n = 0; n < 2000; n++) it.write("app.log", `more ${n}`);
  await it.run(1000);
  const { clock } = it.given;
  const askedMs = clock.now();
  let stoppedMs = Infinity;
  void it.stopping()?.then(() => (stoppedMs = clock.now()));
  await it.run(20_000);
  expect(stoppedMs - askedMs).toBeLessThan(NUCLEUS_KILL_MS);
});

async function writeWork(it: World, name: string, content: string): Promise<void> {
  const file = await it.work.open(name, "create");
  await file.write(0, new TextEncoder().encode(content));
  await file.sync();
  await file.close();
}
