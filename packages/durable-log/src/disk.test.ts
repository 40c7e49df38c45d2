import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeCrypto } from "@coalmine/device/crypto";
import { workFiles } from "@coalmine/device/work-files";
import { systemClock } from "@coalmine/runtime/system-clock";
import { expect, test } from "vitest";
import { DurableLog } from "./durable-log.ts";
import { readAll, text } from "./log.fixture.ts";

test("on a real disk: group commit, sealing, a torn tail, cursors and freeing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "durable-log-"));
  const open = () =>
    DurableLog.open({
      files: workFiles(folder, systemClock),
      clock: systemClock,
      crypto: nodeCrypto,
      folder: "log",
      segmentBytes: 4096,
    });
  try {
    const log = await open();
    await Promise.all(Array.from({ length: 200 }, (_, at) => log.append(text(`record ${at + 1}`))));
    await (await log.cursor("up")).advance(150);
    expect(await log.free()).toBeGreaterThan(0);
    await log.close();

    const again = await open();
    expect(again.epoch).toBe(log.epoch);
    expect((await again.cursor("up")).done).toBe(150);
    const { order, gaps } = await readAll(again, 151);
    expect(order).toEqual(Array.from({ length: 50 }, (_, at) => 151 + at));
    expect(gaps).toEqual([]);
    await again.append(text("record 201"));
    await again.close();

    const [last = ""] = (await workFiles(folder, systemClock).list("log"))
      .filter((name) => name.endsWith(".seg"))
      .toReversed();
    const path = join(folder, "log", last);
    const { sizeBytes } = await workFiles(folder, systemClock).status(`log/${last}`);
    await truncate(path, sizeBytes - 9);
    const torn = await open();
    expect(torn.last).toBe(200);
    expect(torn.recovered.tornBytes).toBeGreaterThan(0);
    expect(await torn.append(text("record 201 again"))).toBe(201);
    expect((await readAll(torn, 200)).records).toEqual(
      new Map([
        [200, "record 200"],
        [201, "record 201 again"],
      ]),
    );
    await torn.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});
