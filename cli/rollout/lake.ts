import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import * as z from "zod";
import { eachOf } from "../../pipeline/controller/region.ts";
import type { Change } from "../../simulator/fleet/mutants/change.ts";

/** What one instrument says it sent: readings of one boot, `from` to `to` inclusive, each with so many channels. */
export const Sent = z.object({
  instrument: z.string(),
  boot: z.int(),
  from: z.int(),
  to: z.int(),
  channels: z.int(),
});
export type Sent = z.infer<typeof Sent>;

/** Points between instrument and lake: one per reading and channel. Results of models are not among them. */
export interface Balance {
  readonly sent: number;
  readonly rows: number;
  readonly lost: number;
  readonly doubled: number;
  /** Of those lost, the ones that the release under test is known to drop. */
  readonly dropped: number;
  /** The first readings of which a point is lost or doubled, each as a person would look for it. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 5;

/** Brings the lake's objects of one bucket into `folder`. */
export async function downloadLake(s3: S3Client, bucket: string, folder: string): Promise<number> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  let objects = 0;
  const download = async (Key: string): Promise<void> => {
    const file = join(folder, `${String(objects++).padStart(6, "0")}.parquet`);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    await writeFile(file, (await Body?.transformToByteArray()) ?? new Uint8Array());
  };
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: "measurements/",
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    await eachOf(
      (page.Contents ?? []).flatMap(({ Key }) => Key ?? []),
      download,
    );
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return objects;
}

/** Compares what the instruments sent with the rows in the Parquet files of `folder`. */
export async function balance(
  folder: string,
  objects: number,
  sent: readonly Sent[],
  drops?: Change["drops"],
): Promise<Balance> {
  const total = sent.reduce((sum, { from, to, channels }) => sum + (to - from + 1) * channels, 0);
  if (objects === 0) return { sent: total, rows: 0, lost: total, doubled: 0, dropped: 0, examples: [] };
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  const connection = await instance.connect();
  try {
    await connection.run(
      "create table sent (instrument varchar, boot integer, first bigint, last bigint, channels integer)",
    );
    for (const { instrument, boot, from, to, channels } of sent)
      await connection.run("insert into sent values ($1, $2, $3, $4, $5)", [
        instrument,
        boot,
        from,
        to,
        channels,
      ]);
    await connection.run(`
      create view points as
        select l.instrument, l.boot, l.sequence, l.channel, count(*) as times
        from read_parquet('${join(folder, "*.parquet").replaceAll("'", "''")}') l
        join sent s on s.instrument = l.instrument and s.boot = l.boot and l.sequence between s.first and s.last
        where l.model_sha256 is null
        group by all`);
    const answer = await connection.runAndReadAll(
      "select coalesce(sum(times), 0)::double as rows, count(*)::double as known from points",
    );
    const { rows, known } = z
      .object({ rows: z.number(), known: z.number() })
      .parse(answer.getRowObjects()[0]);
    const found = { sent: total, rows, lost: total - known, doubled: rows - known };
    if (found.lost === 0 && found.doubled === 0) return { ...found, dropped: 0, examples: [] };
    await connection.run(READINGS);
    const dropped = drops === undefined ? 0 : await droppedOf(connection, drops);
    return { ...found, dropped, examples: await examplesOf(connection) };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Each reading that was sent, with how many of its points are known, and the rows that they are in. */
const READINGS = `
  create view readings as
    with each_one as (
      select instrument, boot, channels, unnest(range(first, last + 1)) as sequence from sent
    ), found as (
      select instrument, boot, sequence, count(*) as known, sum(times) as rows from points group by all
    )
    select instrument, boot, sequence, channels, coalesce(known, 0) as known, coalesce(rows, 0)::bigint as rows
    from each_one left join found using (instrument, boot, sequence)`;

async function droppedOf(
  connection: DuckDBConnection,
  { oneIn, remainder }: NonNullable<Change["drops"]>,
): Promise<number> {
  const answer = await connection.runAndReadAll(
    "select coalesce(sum(channels - known), 0)::double as dropped from readings where sequence % $1 = $2",
    [oneIn, remainder],
  );
  return z.object({ dropped: z.number() }).parse(answer.getRowObjects()[0]).dropped;
}

async function examplesOf(connection: DuckDBConnection): Promise<string[]> {
  const answer = await connection.runAndReadAll(`
    select format('{} boot {} sequence {}: {} rows of {}', instrument, boot, sequence, rows, channels) as example
    from readings
    where known <> channels or rows <> channels
    order by all limit ${EXAMPLES_MAX}`);
  return z
    .array(z.object({ example: z.string() }))
    .parse(answer.getRowObjects())
    .map(({ example }) => example);
}
