import { SeededRandom } from "@coalmine/runtime";
import { describe, expect, test } from "vitest";
import { crashState, recordedFiles } from "./crash-files.ts";
import { faulty, openLog, readAll, text } from "./log.fixture.ts";
import { memoryFiles } from "./memory-files.ts";

const options = { segmentBytes: 1024 };

describe("dropping a cursor", () => {
  test("what it alone held is freed at once, and it is gone after a restart [durable-log-3.6]", async () => {
    const files = memoryFiles();
    const log = await openLog(files, options);
    const fast = await log.cursor("fast");
    await log.cursor("slow");
    for (let at = 1; at <= 200; at++) await log.append(text(`record ${at}`));
    await fast.advance(150);
    await log.free();
    expect(log.first).toBe(1);
    await log.dropCursor("slow");
    expect(log.cursorNames).toEqual(["fast"]);
    expect(log.first).toBeGreaterThan(100);
    expect(log.first).toBeLessThanOrEqual(151);
    expect(await files.list("log")).not.toContain("slow.cursor");
    expect((await readAll(log, 151)).order).toHaveLength(50);
    await log.close();
    const again = await openLog(files, options);
    expect(again.cursorNames).toEqual(["fast"]);
    expect((await readAll(again, 151)).order).toHaveLength(50);
  });

  test("one that is not there, and one that never moved, drop without a trace", async () => {
    const files = memoryFiles();
    const log = await openLog(files, options);
    await log.dropCursor("nobody");
    await log.cursor("new");
    await log.dropCursor("new");
    expect(await files.list("log")).toEqual([]);
    expect(await log.append(text("first"))).toBe(1);
  });

  test("the last cursor leaves what is not read, and a new one of its name begins before the oldest", async () => {
    const log = await openLog(memoryFiles(), options);
    await (await log.cursor("up")).advance(0);
    for (let at = 1; at <= 100; at++) await log.append(text(`record ${at}`));
    await (await log.cursor("up")).advance(40);
    await log.dropCursor("up");
    expect(await log.free()).toBe(0);
    expect((await log.cursor("up")).done).toBe(0);
    expect((await readAll(log)).order).toHaveLength(100);
  });

  test("what it reserved is never given again, though the records behind it are lost [durable-log-3.6]", async () => {
    const files = memoryFiles();
    const log = await openLog(files, options);
    for (let at = 1; at <= 5; at++) await log.append(text(`record ${at}`));
    await (await log.cursor("up")).reserve(5);
    await log.dropCursor("up");
    await log.close();
    // The file that held them is gone.
    for (const name of await files.list("log"))
      if (name.startsWith("00000000000000000001")) await files.remove(`log/${name}`);
    expect(await (await openLog(files, options)).append(text("next"))).toBe(6);
  });

  test("a disk that refuses leaves it to the next opening, and holds nothing meanwhile [durable-log-3.6]", async () => {
    const memory = memoryFiles();
    let isBroken = false;
    const files = faulty(memory, (operation, path) =>
      isBroken && operation === "remove" && path.endsWith(".cursor") ? "EIO" : undefined,
    );
    const log = await openLog(files, options);
    await log.cursor("slow");
    const fast = await log.cursor("fast");
    for (let at = 1; at <= 100; at++) await log.append(text(`record ${at}`));
    await fast.advance(100);
    isBroken = true;
    await expect(log.dropCursor("slow")).rejects.toThrow("EIO");
    expect(log.first).toBeGreaterThan(1);
    expect(await log.append(text("next"))).toBe(101);
    await log.close();
    const again = await openLog(memory, options);
    expect(again.cursorNames).toEqual(["fast", "slow"]);
    await again.dropCursor("slow");
    expect(again.cursorNames).toEqual(["fast"]);
  });

  test("whenever the power goes, it is there or gone, and nothing else changed [durable-log-3.6]", async () => {
    const { files, events } = recordedFiles();
    const log = await openLog(files, options);
    await log.cursor("slow");
    const fast = await log.cursor("fast");
    for (let at = 1; at <= 100; at++) await log.append(text(`record ${at}`));
    await fast.advance(90);
    const before = events.length;
    await log.dropCursor("slow");
    expect(events.length).toBeGreaterThan(before + 3);
    for (let length = before; length <= events.length; length++)
      for (const fate of ["kept", "dropped", "chance"] as const) {
        const disk = crashState(events, length, fate, new SeededRandom(`drop ${length}`));
        const again = await openLog(disk, options);
        if (length === events.length) expect(again.cursorNames).toEqual(["fast"]);
        expect(again.last).toBe(100);
        expect((await readAll(again, 91)).order).toHaveLength(10);
        await again.dropCursor("slow");
        expect(again.cursorNames).toEqual(["fast"]);
        expect(await again.append(text("next"))).toBe(101);
      }
  });
});
