import { expect, test } from "vitest";
import { loneComponent } from "../../../simulator/fleet/hosted/lone-component.ts";
import { World } from "./world.ts";

/** What Fluent Bit's tests of its tail input, and Vector's issues, say that happens to files: each once, by name. */
async function world(configuration: object = {}): Promise<World> {
  const made = new World(loneComponent("tail", Date.UTC(2026, 10, 23, 9)), {
    healthIntervalSeconds: 1,
    ...configuration,
  });
  await made.start();
  return made;
}

test("a renamed file whose writer goes on is read beside the new one", async () => {
  const it = await world();
  const old = it.write("app.log", "old 1");
  await it.run(5000);
  it.disk.rename("app.log", "app.log.1");
  it.write("app.log", "new 1");
  it.disk.append(old, '{"message":"old 2"}\n');
  await it.run(5000);
  it.write("app.log", "new 2");
  it.disk.append(old, '{"message":"old 3"}\n');
  await it.run(5000);
  expect(it.texts().toSorted()).toEqual(["new 1", "new 2", "old 1", "old 2", "old 3"]);
  await it.stop();
});

test("a renamed file that leaves the pattern is read to its end through its handle", async () => {
  const it = await world();
  const old = it.write("app.log", "old 1");
  await it.run(5000);
  it.disk.rename("app.log", "elsewhere");
  it.disk.append(old, '{"message":"old 2"}\n');
  await it.run(10_000);
  expect(it.texts()).toEqual(["old 1", "old 2"]);
  await it.stop();
});

test("after copytruncate the copy goes not again, and the cut file from its beginning", async () => {
  const it = await world();
  const node = it.write("app.log", "1");
  it.write("app.log", "2");
  await it.run(5000);
  it.disk.copy(node, "app.log.1");
  it.disk.truncate(node);
  it.write("app.log", "3");
  await it.run(10_000);
  expect(it.texts()).toEqual(["1", "2", "3"]);
  await it.stop();
});

test("copytruncate while log-manager is down repeats nothing and loses nothing", async () => {
  const it = await world();
  const node = it.write("app.log", "sent");
  await it.run(5000);
  await it.stop();
  it.write("app.log", "not sent");
  it.disk.copy(node, "app.log.1");
  it.disk.truncate(node);
  it.write("app.log", "new");
  await it.start();
  await it.run(10_000);
  expect(it.texts().toSorted()).toEqual(["new", "not sent", "sent"]);
  await it.stop();
});

test("after a cut a writer that keeps its old place leaves zeroes, and its lines go", async () => {
  const it = await world();
  const node = it.write("app.log", "before");
  await it.run(5000);
  const sizeBytes = node.bytes.length;
  it.disk.truncate(node);
  it.disk.append(node, "\0".repeat(sizeBytes));
  it.write("app.log", "after");
  await it.run(10_000);
  expect(it.messages().at(-1)).toContain('"after"');
  await it.stop();
});

test("a line that was begun before a restart and ended after it goes once, whole", async () => {
  const it = await world();
  const node = it.write("app.log", "whole");
  it.disk.append(node, '{"message":"be');
  await it.run(2000);
  await it.stop();
  it.disk.append(node, 'gun"}\n');
  await it.start();
  await it.run(10_000);
  expect(it.texts()).toEqual(["whole", "begun"]);
  await it.stop();
});

test("a link that is swapped leads to a file of its own", async () => {
  const it = await world();
  it.write("app.log", "first target");
  await it.run(5000);
  it.disk.create("app.log");
  it.write("app.log", "second target");
  await it.run(5000);
  expect(it.texts()).toEqual(["first target", "second target"]);
  await it.stop();
});

test("a file that is deleted and made again on the same inode is read from its beginning", async () => {
  const it = await world();
  it.write("app.log", "a long line of the old file, longer than all of the new one");
  await it.run(5000);
  await it.stop();
  it.disk.remove("app.log");
  it.write("app.log", "new");
  await it.start();
  await it.run(5000);
  expect(it.texts().at(-1)).toBe("new");
  expect(it.texts()).toHaveLength(2);
  await it.stop();
});

test("a file that cannot be opened at first is read when it can be, and holds no other up", async () => {
  const it = await world();
  it.write("app.log.1", "readable later");
  it.disk.isReadable = (name) => name !== "app.log.1";
  it.write("app.log", "readable");
  await it.run(5000);
  expect(it.texts()).toEqual(["readable"]);
  it.disk.isReadable = () => true;
  await it.run(301_000);
  expect(it.texts()).toEqual(["readable", "readable later"]);
  await it.stop();
});

test("where a folder tells of no changes, its files are looked at every period", async () => {
  const it = await world({ periodicUploadIntervalSec: 10 });
  it.disk.tellsOfChanges = false;
  it.write("app.log", "nobody told");
  await it.run(12_000);
  expect(it.texts()).toEqual(["nobody told"]);
  await it.stop();
});

test("empty lines are no events, and are counted as filtered", async () => {
  const it = await world({ logs: { multiLineStartPattern: "^" } });
  it.disk.append(it.disk.create("app.log"), "one\n\n\ntwo\n");
  await it.run(5000);
  expect(it.messages()).toEqual(["one", "two"]);
  expect(it.counters()).toMatchObject({ lines: 4, uploadedLines: 2, filteredLines: 2 });
  await it.stop();
});

test("a line that is too long goes in parts, none cut inside a character", async () => {
  const it = await world({ cloudWatch: { eventBytesMax: 1024 } });
  const long = "µ°𝄞".repeat(1000);
  it.disk.append(it.disk.create("app.log"), `2026-11-23 08:59:00 INFO ${long}\n`);
  await it.run(5000);
  const parts = it.messages().map((message) => message.replace(/^\[part \d+\/\d+\] /, ""));
  expect(parts.length).toBeGreaterThan(8);
  expect(parts.join("")).toBe(`2026-11-23 08:59:00 INFO ${long}`);
  await it.stop();
});
