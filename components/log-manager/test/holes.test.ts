import { expect, test } from "vitest";
import { loneComponent } from "../../../simulator/fleet/hosted/lone-component.ts";
import { World } from "./world.ts";

/**
 * The ways in which AWS's LogManager loses lines, lettered as in our study of its code, and what ours does there.
 * Two more stand beside the real files, in `src/component.test.ts`: H (no hard links needed) and I (bytes, not characters).
 */
const MORNING = Date.UTC(2026, 10, 23, 9);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function world(configuration: object = {}, startMs = MORNING): Promise<World> {
  const made = new World(loneComponent("holes", startMs), { healthIntervalSeconds: 1, ...configuration });
  await made.start();
  return made;
}

test("hole A: a file that is older than one that was read goes too", async () => {
  const it = await world();
  it.write("app.log", "of now");
  await it.run(5000);
  it.skewMs = -HOUR;
  it.write("app.log.1", "restored, an hour older");
  await it.run(5000);
  expect(it.texts()).toEqual(["of now", "restored, an hour older"]);
  await it.stop();
});

test("hole A: of two files of the same millisecond both go", async () => {
  const it = await world();
  it.write("app.log.1", "first");
  it.write("app.log", "second");
  await it.run(5000);
  expect(it.texts()).toEqual(["first", "second"]);
  await it.stop();
});

test("hole B: two files with the same first line have a position each", async () => {
  const it = await world();
  const banner = `2026-11-23 09:00:00 INFO ${"the same banner, ".repeat(12)}\n`;
  for (const name of ["app.log.1", "app.log"]) {
    const node = it.disk.create(name);
    it.disk.append(node, banner);
    it.write(name, `only in ${name}`);
  }
  await it.run(10_000);
  expect(
    it
      .texts()
      .filter((text) => text.startsWith("only"))
      .toSorted(),
  ).toEqual(["only in app.log", "only in app.log.1"]);
  expect(it.texts()).toHaveLength(4);
  await it.stop();
  await it.start();
  it.write("app.log", "after a restart");
  await it.run(10_000);
  expect(it.texts()).toHaveLength(5);
  await it.stop();
});

test("hole C: while the day before midnight cannot be put, no position passes it", async () => {
  const it = await world({}, Date.UTC(2026, 10, 23, 23, 59, 59));
  it.cloud.refuses = (stream) => (stream.includes("/23/") ? "ServiceUnavailableException" : undefined);
  it.write("app.log", "before midnight");
  it.write("app.log", "after midnight", { timestamp: Date.UTC(2026, 10, 24, 0, 0, 1) });
  await it.run(20_000);
  it.kill(false);
  it.cloud.refuses = () => undefined;
  await it.start();
  await it.run(20_000);
  expect(it.texts().toSorted()).toEqual(["after midnight", "before midnight"]);
  expect(it.cloud.stored.map(({ put }) => put.stream)).toEqual([
    "/2026/11/23/thing/site+7",
    "/2026/11/24/thing/site+7",
  ]);
  await it.stop();
});

test("hole D: a rotated file that ends below the level is done with, and deleted", async () => {
  const it = await world({ logs: { deleteLogFileAfterCloudUpload: true } });
  it.write("app.log", "kept");
  it.write("app.log", "left out", { level: "DEBUG" });
  it.disk.rename("app.log", "app.log.1");
  it.write("app.log", "of the new file");
  await it.run(20_000);
  expect(it.texts()).toEqual(["kept", "of the new file"]);
  expect([...it.disk.names.keys()]).toEqual(["app.log"]);
  await it.stop();
});

test("hole E: lines of 15 days ago are counted, and kept as dead letters", async () => {
  const it = await world();
  it.write("app.log", "too old", { timestamp: MORNING - 15 * DAY });
  it.write("app.log", "of now");
  await it.run(10_000);
  expect(it.texts()).toEqual(["of now"]);
  expect(it.deadLetters()).toMatchObject([{ cause: "tooOld", message: expect.stringContaining("too old") }]);
  expect(it.counters()).toMatchObject({ lines: 2, uploadedLines: 1, rejectedTooOldLines: 1 });
  await it.stop();
});

test("hole E: lines of three hours ahead likewise", async () => {
  const it = await world();
  it.write("app.log", "too new", { timestamp: MORNING + 3 * HOUR });
  await it.run(10_000);
  expect(it.deadLetters()).toMatchObject([{ cause: "tooNew" }]);
  expect(it.counters()).toMatchObject({ lines: 1, uploadedLines: 0, rejectedTooNewLines: 1 });
  await it.stop();
});

test("hole F: what the service rejects is not counted as sent", async () => {
  const it = await world();
  it.write("app.log", "kept");
  it.write("app.log", "rejected", { timestamp: MORNING - 15 * DAY });
  it.write("app.log", "kept too");
  await it.run(10_000);
  expect(it.counters()).toMatchObject({ uploadedEvents: 2, rejectedEvents: 1 });
  expect(it.cloud.stored).toHaveLength(2);
  await it.stop();
});

test("hole G: a short file without a newline is shown, and goes whole when its line ends", async () => {
  const it = await world({ redaction: { presets: [] } });
  const node = it.disk.create("app.log");
  it.disk.append(node, "tiny");
  await it.run(10_000);
  expect(it.messages()).toEqual(["[partial] tiny"]);
  it.disk.append(node, " but whole\n");
  await it.run(10_000);
  expect(it.messages()).toEqual(["[partial] tiny", "tiny but whole"]);
  await it.stop();
});

test("hole J: a stack trace keeps its newlines, whatever they are", async () => {
  const it = await world();
  const trace = "2026-11-23 09:00:00 ERROR it broke\n  at f (a.ts:1)\r\n\n  at g (b.ts:2)";
  it.disk.append(it.disk.create("app.log"), `${trace}\n`);
  await it.run(10_000);
  expect(it.messages()).toEqual([trace]);
  await it.stop();
});

test("mended in LogManager: a backlog of more than 24 hours goes on its own, in batches by date", async () => {
  const it = await world();
  for (let hoursAgo = 120; hoursAgo >= 0; hoursAgo -= 20)
    it.write("app.log", `${hoursAgo} h ago`, { timestamp: MORNING - hoursAgo * HOUR });
  await it.run(20_000);
  expect(it.texts()).toEqual([
    "120 h ago",
    "100 h ago",
    "80 h ago",
    "60 h ago",
    "40 h ago",
    "20 h ago",
    "0 h ago",
  ]);
  expect(it.cloud.violations).toEqual([]);
  await it.stop();
});

test.each([
  '{"level":null,"message":"no level"}',
  '{"level":7,"timestamp":{},"message":"strange"}',
  '{"timestamp":9e99}',
  "null",
  "{",
  "[]",
])("mended in LogManager: odd JSON stops nothing and is kept: %s", async (odd) => {
  const it = await world();
  it.disk.append(it.disk.create("app.log"), `${odd}\n`);
  it.write("app.log", "after it");
  await it.run(10_000);
  expect(it.messages().join("\n")).toContain("after it");
  expect(it.messages().join("\n")).toContain(odd);
  await it.stop();
});
