import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { InstrumentId, lakeColumns, type Measurement, Sha256 } from "@coalmine/contract";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, expect, test } from "vitest";
import { portsVersion, start } from "../../components/inference/src/component.ts";
import { replay, scored } from "./replay.ts";
import { storedPoints } from "./stored-points.ts";

const folder = await mkdtemp(join(tmpdir(), "replay-"));
afterAll(() => rm(folder, { recursive: true }));
const model = join(dirname(dirname(import.meta.dirname)), "models/blood-viscosity");
const component = { portsVersion, start };

const CURVES = 40;
const points = Array.from({ length: CURVES * 20 }, (_, sequence) => reading(sequence)).flat();

test("stored windows scored again are bit-equal, from Parquet as from JSON lines, and what was altered is found", async () => {
  const recorded = await scored(component, model, points);
  expect(recorded).toHaveLength(3 * CURVES);
  const jsonLines = join(folder, "points.jsonl");
  await writeFile(jsonLines, [...points, ...recorded].map((point) => JSON.stringify(point)).join("\n"));
  const parquet = join(folder, "points.parquet");
  await writeFile(parquet, Buffer.from(inParquet([...points, ...recorded])));
  for (const stored of [await storedPoints(jsonLines, undefined), await storedPoints(parquet, "core-1")])
    expect(await replay(component, model, stored)).toMatchObject({
      recorded: 3 * CURVES,
      equal: 3 * CURVES,
      different: 0,
      missing: 0,
      otherModels: 0,
    });

  const [first, second, third, fourth, ...rest] = recorded;
  if (first === undefined || second === undefined || third === undefined || fourth === undefined)
    throw new Error("there are results");
  const nextFloat = { ...first, value: first.value * (1 + Number.EPSILON) };
  const otherModel = {
    ...fourth,
    derivation: fourth.derivation && { ...fourth.derivation, modelSha256: Sha256.parse("0".repeat(64)) },
  };
  const withoutPoints = { ...second, sequence: 100_019 };
  const found = await replay(component, model, [
    ...points,
    nextFloat,
    withoutPoints,
    third,
    otherModel,
    ...rest,
  ]);
  expect(found).toMatchObject({ equal: 3 * CURVES - 3, different: 1, missing: 1, otherModels: 1 });
  expect(found.examples[0]).toMatch(/^rheometer-1\/3\/19\/blood-viscosity: stored [\d.]+, replayed [\d.]+$/);
});

test("nothing compared is no agreement, and a model that is not there is named", async () => {
  await expect(replay(component, model, points)).rejects.toThrow(/nothing to compare: none of the 0 results/);
  await expect(replay(component, folder, points)).rejects.toThrow(/holds no model that can be replayed/);
});

test("files that hold no points are refused with what to name", async () => {
  const file = join(folder, "wrong.jsonl");
  await writeFile(file, '{"value":1}\n');
  await expect(storedPoints(file, undefined)).rejects.toMatchObject({ code: "ERR_STORED_POINTS" });
  await expect(storedPoints(join(folder, "none-*.parquet"), undefined)).rejects.toThrow(/Name Parquet files/);
});

function reading(sequence: number): Measurement[] {
  const index = sequence % 20;
  const rate = 2 * 250 ** (index / 19);
  const thickness = 1 + (Math.floor(sequence / 20) % 7) / 10;
  const values = {
    "shear-rate": [rate, "/s"],
    "apparent-viscosity": [thickness * (3.45 + 52.55 * (1 + (3.313 * rate) ** 2) ** -0.3216), "mPa.s"],
    temperature: [36 + thickness / 3, "Cel"],
    haematocrit: [45, "%"],
    "curve-point": [index, "1"],
  } as const;
  return Object.entries(values).map(([channel, [value, unit]]) => ({
    instrument: InstrumentId.parse("rheometer-1"),
    boot: 3,
    sequence,
    channel,
    sampleTimeMs: 1_000 + sequence,
    sampleTimeUncertaintyMs: 1,
    value,
    unit,
    quality: { level: "good" },
    calibrationId: "cal-1",
  }));
}

function inParquet(all: readonly Measurement[]): ArrayBuffer {
  const column: Record<(typeof lakeColumns)[number]["name"], (point: Measurement) => unknown> = {
    thing: () => "core-1",
    instrument: (of) => of.instrument,
    boot: (of) => of.boot,
    sequence: (of) => BigInt(of.sequence),
    channel: (of) => of.channel,
    sample_time_ms: (of) => of.sampleTimeMs,
    sample_time_uncertainty_ms: (of) => of.sampleTimeUncertaintyMs,
    value: (of) => of.value,
    unit: (of) => of.unit,
    quality: (of) => of.quality.level,
    quality_cause: (of) => ("cause" in of.quality ? of.quality.cause : undefined),
    calibration_id: (of) => of.calibrationId,
    model_sha256: (of) => of.derivation?.modelSha256,
    preprocessing_version: (of) => of.derivation?.preprocessingVersion,
    input_from: (of) => of.derivation && BigInt(of.derivation.inputFrom),
    input_to: (of) => of.derivation && BigInt(of.derivation.inputTo),
  };
  return parquetWriteBuffer({
    columnData: lakeColumns.map(({ name, type }) => ({
      name,
      type,
      data: all.map((of) => column[name](of)),
    })),
  });
}
