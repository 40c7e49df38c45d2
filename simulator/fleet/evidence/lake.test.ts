import { tmpdir } from "node:os";
import { parquetWriteBuffer } from "hyparquet-writer";
import { expect, test } from "vitest";
import { usualNames } from "../driven/usual-settings.ts";
import { lakeFindings } from "./lake.ts";
import { openWitnessed } from "./witnessed-region.ts";

test("the lake is compared point by point: what is lost, doubled or made up is found", async () => {
  const { region } = await openWitnessed({ devices: 1, seed: "lake", artifactFolder: tmpdir() });
  // The first curve, and nobody to read it.
  await region.turn.run(region.clock.now() + 300_000);
  const [device] = region.devices;
  const [boot] = region.ledgerOf(device?.thingName ?? "")?.boots() ?? [];
  expect(boot).toMatchObject({ readings: 20, channels: 5 });
  const point = (sequence: number, channel: string) => ({ sequence, channel, model: null as string | null });
  const all = Array.from({ length: 20 }, (_, sequence) =>
    ["a", "b", "c", "d", "e"].map((channel) => point(sequence, channel)),
  ).flat();
  const write = async (key: string, rows: ReturnType<typeof point>[]) => {
    const column = (name: string, type: "STRING" | "INT32" | "INT64", data: unknown[], nullable = false) => ({
      name,
      type,
      data,
      nullable,
    });
    const Body = new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          column(
            "thing",
            "STRING",
            rows.map(() => device?.thingName),
          ),
          column(
            "instrument",
            "STRING",
            rows.map(() => device?.instrument.id),
          ),
          column(
            "boot",
            "INT32",
            rows.map(() => 1),
          ),
          column(
            "sequence",
            "INT64",
            rows.map(({ sequence }) => BigInt(sequence)),
          ),
          column(
            "channel",
            "STRING",
            rows.map(({ channel }) => channel),
          ),
          column(
            "model_sha256",
            "STRING",
            rows.map(({ model }) => model),
            true,
          ),
          column(
            "quality_cause",
            "STRING",
            rows.map(() => null),
            true,
          ),
        ],
      }),
    );
    await region.cloud.invoke("s3", "PutObject", { Bucket: usualNames.lakeBucket, Key: key, Body });
  };
  const result = { ...point(19, "apparent"), model: "0".repeat(64) };

  await write("1", [...all, result]);
  expect(await lakeFindings(region, usualNames.lakeBucket)).toMatchObject({
    objects: 1,
    rows: 101,
    resultRows: 1,
    lost: 0,
    doubled: 0,
    unknown: 0,
    examples: [],
  });
  await write("1", [...all.slice(1), result]);
  await write("2", [point(7, "b"), point(20, "a"), result]);
  const found = await lakeFindings(region, usualNames.lakeBucket);
  expect(found).toMatchObject({ objects: 2, lost: 1, doubled: 2, unknown: 1 });
  expect(found.examples.join("; ")).toMatch(
    /7\/b is there more than once.*result .* is there more than once.*1 of 5 points/,
  );
  await region.close();
});
