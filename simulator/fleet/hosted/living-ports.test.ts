import { memoryFiles } from "@coalmine/durable-log/memory-files";
import { DrivenClock, MemoryIpc } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { Life } from "./life.ts";
import { livingFiles } from "./living-files.ts";
import { livingClock, livingIpc } from "./living-ports.ts";

const drivenClock = () => new DrivenClock(0, () => new Promise<void>((done) => setImmediate(done)));

test("a component that was killed is dropped at its next await, and its timers and subscriptions are deaf", async () => {
  const clock = drivenClock();
  const life = new Life();
  const bus = new MemoryIpc();
  const ports = { clock: livingClock(clock, life), ipc: livingIpc(bus, life) };
  const done: string[] = [];
  const component = async () => {
    await ports.ipc.subscribe("t", () => done.push("heard"));
    ports.clock.timer(500, () => done.push("fired"));
    for (;;) {
      await ports.clock.sleep(1000);
      done.push(`awake at ${clock.now()}`);
    }
  };
  void component();
  await clock.runUntil(1000);
  await bus.publish("t", { json: {} });
  life.end();
  ports.clock.timer(1, () => done.push("fired when dead"));
  await bus.publish("t", { json: {} });
  await clock.runUntil(10_000);
  expect(done).toEqual(["fired", "awake at 1000", "heard"]);
});

test("only what was synced outlives a kill, and a sync costs the device time", async () => {
  const clock = drivenClock();
  const disk = memoryFiles();
  const life = new Life();
  const files = livingFiles(disk, life, clock, () => 5);
  const written = (async () => {
    const file = await files.open("f", "create");
    await file.write(0, new TextEncoder().encode("kept"));
    await file.sync();
    await files.syncFolder("");
    await file.write(4, new TextEncoder().encode(" and lost"));
  })();
  await clock.runUntil(100);
  await written;
  life.end();
  disk.crash();
  expect(new TextDecoder().decode(disk.contents().get("f"))).toBe("kept");
  const second = livingFiles(disk, new Life(), clock, () => 5);
  const startedMs = clock.now();
  const syncing = second.syncFolder("").then(() => clock.now() - startedMs);
  await clock.runUntil(200);
  expect(await syncing).toBe(5);
});
