import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import { balance } from "./lake.ts";
import type { Change } from "../../simulator/fleet/mutants/change.ts";

const columns = (rows: readonly { sequence: number; channel: string; model?: string }[]) => [
  { name: "instrument", data: rows.map(() => "r1"), type: "STRING" as const },
  { name: "boot", data: rows.map(() => 1), type: "INT32" as const },
  { name: "sequence", data: rows.map(({ sequence }) => BigInt(sequence)), type: "INT64" as const },
  { name: "channel", data: rows.map(({ channel }) => channel), type: "STRING" as const },
  {
    name: "model_sha256",
    data: rows.map(({ model }) => model ?? null),
    type: "STRING" as const,
    nullable: true,
  },
];

async function balanceOf(files: Parameters<typeof columns>[0][], drops?: Change["drops"]) {
  const folder = mkdtempSync(join(tmpdir(), "coalmine-lake-"));
  for (const [index, rows] of files.entries())
    writeFileSync(
      join(folder, `${index}.parquet`),
      Buffer.from(parquetWriteBuffer({ columnData: columns(rows) })),
    );
  try {
    const sent = [{ instrument: "r1", boot: 1, from: 0, to: 2, channels: 2 }];
    return await balance(folder, files.length, sent, drops);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
const all = [0, 1, 2].flatMap((sequence) => ["a", "b"].map((channel) => ({ sequence, channel })));

test("what arrived once each is neither lost nor doubled, and results of models do not count", async () => {
  expect(
    await balanceOf([all.slice(0, 4), [...all.slice(4), { sequence: 2, channel: "result", model: "abc" }]]),
  ).toEqual({ sent: 6, rows: 6, lost: 0, doubled: 0, dropped: 0, examples: [] });
});

test("a point that is missing is lost, one that is in two objects is doubled, and both are named", async () => {
  expect(await balanceOf([all.slice(0, 5), all.slice(2, 3)])).toEqual({
    sent: 6,
    rows: 6,
    lost: 1,
    doubled: 1,
    dropped: 0,
    examples: ["r1 boot 1 sequence 1: 3 rows of 2", "r1 boot 1 sequence 2: 1 rows of 2"],
  });
});

test("of what is lost, the readings that the release under test drops are told apart from all others", async () => {
  const withoutSecond = all.filter(({ sequence }) => sequence !== 1);
  const drops = { oneIn: 3, remainder: 1 };
  expect(await balanceOf([withoutSecond], drops)).toMatchObject({ lost: 2, dropped: 2 });
  expect(await balanceOf([withoutSecond.slice(1)], drops)).toMatchObject({ lost: 3, dropped: 2 });
});

test("an empty lake has lost everything", async () => {
  expect(await balance("/nowhere", 0, [{ instrument: "r1", boot: 1, from: 5, to: 9, channels: 5 }])).toEqual({
    sent: 25,
    rows: 0,
    lost: 25,
    doubled: 0,
    dropped: 0,
    examples: [],
  });
});
