import type { Files } from "@coalmine/ports";
import { inSteps } from "@coalmine/runtime";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { faulty, openLog, readAll, text } from "./log.fixture.ts";
import { memoryFiles } from "./memory-files.ts";

/** Files whose next sync of a segment waits until it is let go. */
function heldSyncs(files: Files): { files: Files; syncs: () => number; release: () => void } {
  let syncs = 0;
  let release: () => void = () => undefined;
  const held: Files = {
    ...files,
    async open(path, mode) {
      const file = await files.open(path, mode);
      return inSteps({
        ...file,
        async sync() {
          if (path.endsWith(".new")) {
            syncs++;
            await new Promise<void>((go) => (release = go));
          }
          await file.sync();
        },
      });
    },
  };
  return { files: held, syncs: () => syncs, release: () => release() };
}
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
};

describe("appending", () => {
  test("an append resolves only after the sync [durable-log-1.1]", async () => {
    const memory = memoryFiles();
    const held = heldSyncs(memory);
    const log = await openLog(held.files);
    let stored: number | undefined;
    const appended = log.append(text("a")).then((sequence) => (stored = sequence));
    await turns();
    expect(held.syncs()).toBe(1);
    expect(stored).toBeUndefined();
    held.release();
    await appended;
    expect(stored).toBe(1);
    memory.crash();
    expect([...(await readAll(await openLog(memory))).records]).toEqual([[1, "a"]]);
  });

  test("numbers are consecutive from 1 in order of appending [durable-log-1.2]", async () => {
    const log = await openLog(memoryFiles());
    const numbers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => log.append(text(`r${index}`))),
    );
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(await log.append(text("more"))).toBe(51);
  });

  test("what arrives during a sync shares the next one [durable-log-1.3]", async () => {
    const held = heldSyncs(memoryFiles());
    const log = await openLog(held.files);
    const first = log.append(text("first"));
    await turns();
    const rest = Array.from({ length: 200 }, (_, index) => log.append(text(`r${index}`)));
    held.release();
    await first;
    await turns();
    expect(held.syncs()).toBe(2);
    held.release();
    expect((await Promise.all(rest)).at(-1)).toBe(201);
  });

  test("a failed sync poisons the segment; its records keep their numbers in a new one [durable-log-1.4]", async () => {
    const memory = memoryFiles();
    let failing = false;
    const files = faulty(memory, (operation) =>
      failing && operation === "sync" ? ((failing = false), "EIO") : undefined,
    );
    const log = await openLog(files);
    await log.append(text("one"));
    failing = true;
    expect(await log.append(text("two"))).toBe(2);
    expect(await log.append(text("three"))).toBe(3);
    expect((await memory.list("log")).filter((name) => name.endsWith(".seg"))).toEqual([
      "00000000000000000001.seg",
      "00000000000000000002.seg",
    ]);
    for (const reader of [log, await openLog(memory)])
      expect([...(await readAll(reader)).records.values()]).toEqual(["one", "two", "three"]);
  });

  test("three segments that cannot be written refuse the records, and later appends work [durable-log-1.5]", async () => {
    const memory = memoryFiles();
    let failing = true;
    let tries = 0;
    const files = faulty(memory, (operation, path) =>
      failing && operation === "sync" && path.endsWith(".new") ? (tries++, "EIO") : undefined,
    );
    const log = await openLog(files);
    await expect(log.append(text("no"))).rejects.toMatchObject({ code: "ERR_LOG_UNWRITABLE" });
    expect(tries).toBe(3);
    failing = false;
    expect(await log.append(text("yes"))).toBe(1);
    expect([...(await readAll(await openLog(memory))).records]).toEqual([[1, "yes"]]);
  });

  test("what cannot wait is refused at once, each with its own error [durable-log-1.6]", async () => {
    const log = await openLog(memoryFiles(), { segmentBytes: 12 * 2 ** 20 });
    await expect(log.append(new Uint8Array(13 * 2 ** 20))).rejects.toMatchObject({
      code: "ERR_LOG_RECORD_TOO_LARGE",
    });
    const large = new Uint8Array(9 * 2 ** 20);
    const fits = log.append(large);
    await expect(log.append(large)).rejects.toMatchObject({ code: "ERR_LOG_BUSY" });
    expect(await fits).toBe(1);
    await log.close();
    await expect(log.append(text("late"))).rejects.toMatchObject({ code: "ERR_LOG_CLOSED" });
  });
});

describe("segments and room", () => {
  test("segments are named by their first number and stay within their size [durable-log-2.1]", async () => {
    const memory = memoryFiles();
    const log = await openLog(memory, { segmentBytes: 1024 });
    for (let index = 0; index < 100; index++) await log.append(text(`record ${index}`));
    const names = await memory.list("log");
    expect(names.length).toBeGreaterThan(3);
    for (const name of names)
      expect((await memory.status(`log/${name}`)).sizeBytes).toBeLessThanOrEqual(1024 + 48);
    for (const name of names.slice(1)) {
      const first = Number(name.slice(0, 20));
      expect((await readAll(log, first)).records.get(first)).toBe(`record ${first - 1}`);
    }
  });

  test("at the cap the log refuses, or gives up the oldest and says so [durable-log-2.2]", async () => {
    const refusing = await openLog(memoryFiles(), { segmentBytes: 1024, capBytes: 3000 });
    let kept = 0;
    await expect(
      (async () => {
        for (; kept < 100; kept++) await refusing.append(text(`record ${kept}`));
      })(),
    ).rejects.toMatchObject({ code: "ERR_LOG_FULL" });
    expect(kept).toBeGreaterThan(30);
    expect(refusing.sizeBytes).toBeLessThanOrEqual(3000 + 1024);
    expect((await readAll(refusing)).records.size).toBe(kept);

    const lost: number[] = [];
    const overwriting = await openLog(memoryFiles(), {
      segmentBytes: 1024,
      capBytes: 3000,
      whenFull: "overwrite-oldest",
      onOverwritten: ({ first, last }) => {
        for (let sequence = first; sequence <= last; sequence++) lost.push(sequence);
      },
    });
    for (let index = 0; index < 100; index++) await overwriting.append(text(`record ${index}`));
    const { order, gaps } = await readAll(overwriting);
    expect([...lost, ...order]).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(gaps).toEqual([{ first: 1, last: lost.at(-1) }]);
    expect(overwriting.sizeBytes).toBeLessThanOrEqual(3000 + 1024);
  });

  test("a full disk refuses or overwrites, and room makes appending work again [durable-log-2.3]", async () => {
    const memory = memoryFiles({ capacityBytes: 14_000 });
    const log = await openLog(memory, { segmentBytes: 1024 });
    const cursor = await log.cursor("up");
    let stored = 0;
    await expect(
      (async () => {
        for (;;) {
          await log.append(text(`record ${stored}`));
          stored++;
        }
      })(),
    ).rejects.toMatchObject({ code: "ERR_LOG_FULL" });
    expect(stored).toBeGreaterThan(50);
    await cursor.advance(stored - 5);
    await log.free();
    expect(await log.append(text("again"))).toBe(stored + 1);
    expect((await readAll(log, stored - 4)).order).toEqual(
      Array.from({ length: 6 }, (_, at) => stored - 4 + at),
    );

    const small = memoryFiles({ capacityBytes: 5000 });
    const overwriting = await openLog(small, { segmentBytes: 1024, whenFull: "overwrite-oldest" });
    for (let index = 0; index < 300; index++) await overwriting.append(text(`record ${index}`));
    expect((await readAll(overwriting)).order.at(-1)).toBe(300);
  });

  test("free removes what every cursor has passed, after the cursors are durable [durable-log-2.4]", async () => {
    const memory = memoryFiles();
    const log = await openLog(memory, { segmentBytes: 1024 });
    for (let index = 0; index < 100; index++) await log.append(text(`record ${index}`));
    const [lake, live] = [await log.cursor("lake"), await log.cursor("live")];
    await lake.advance(100);
    expect(await log.free()).toBe(0);
    await live.advance(60);
    const second = Number(
      (await memory.list("log")).find((name) => Number(name.slice(0, 20)) > 60)?.slice(0, 20),
    );
    expect(await log.free()).toBeGreaterThan(0);
    expect(log.first).toBeLessThanOrEqual(61);
    expect((await readAll(log, 61)).order[0]).toBe(61);
    expect(second).toBeGreaterThan(61);
    await live.advance(100);
    await log.free();
    expect((await memory.list("log")).filter((name) => name.endsWith(".seg"))).toHaveLength(1);
    memory.crash();
    const reopened = await openLog(memory);
    expect((await reopened.cursor("live")).done).toBe(100);
    expect(await reopened.append(text("next"))).toBe(101);
  });
});

test("reading gives each record once, in order, from anywhere [durable-log-3.1]", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 60 }),
      fc.nat(60),
      fc.integer({ min: 512, max: 2048 }),
      async (payloads, from, segmentBytes) => {
        const log = await openLog(memoryFiles(), { segmentBytes });
        await Promise.all(payloads.map((payload) => log.append(payload)));
        const start = 1 + (from % payloads.length);
        const read: Uint8Array[] = [];
        for await (const chunk of log.read(start)) {
          expect(chunk.gaps).toEqual([]);
          for (const record of chunk.records) {
            expect(record.sequence).toBe(start + read.length);
            read.push(record.payload);
          }
        }
        expect(read.map((payload) => [...payload])).toEqual(
          payloads.slice(start - 1).map((payload) => [...payload]),
        );
      },
    ),
    { numRuns: 100 },
  );
}, 30_000);
