import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CreateBucketCommand, ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, expect, test } from "vitest";
import { runCommand, type Ran } from "../command.fixture.ts";
import { exitCodes } from "../exit-codes.ts";
import { places } from "../system/state.ts";
import { runningIn, Where } from "./cloud-state.ts";
import { addCloudCommands } from "./commands.ts";

const base = mkdtempSync(join(tmpdir(), "cloud-command-"));
const at = places(dirname(dirname(import.meta.dirname)), { COALMINE_STATE: base });
const cloud = (...words: string[]): Promise<Ran> =>
  runCommand((program) => addCloudCommands(program, at), "cloud", ...words);
afterAll(() => {
  for (const name of ["cloud", "copy"]) {
    const running = runningIn(join(base, name));
    if (running !== undefined) process.kill(running.pid, "SIGKILL");
  }
  rmSync(base, { recursive: true });
});

const json = (ran: Ran): Record<string, never> => JSON.parse(ran.out);
function s3Of(ran: Ran): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = Where.parse(json(ran));
  return new S3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
}

test("a cloud is started, asked, stopped, exported, opened elsewhere and reset", async () => {
  expect(await cloud("status")).toMatchObject({
    code: exitCodes.unreachable,
    out: expect.stringContaining("no cloud"),
  });
  expect(await cloud("stop")).toMatchObject({
    code: exitCodes.unreachable,
    err: expect.stringContaining("no cloud"),
  });
  const started = await cloud("start", "--json");
  expect(json(started)).toMatchObject({ running: true, pid: expect.any(Number), region: "us-east-1" });
  await s3Of(started).send(new CreateBucketCommand({ Bucket: "kept" }));
  expect(json(await cloud("status", "--json"))).toEqual(expect.objectContaining({ ...json(started) }));
  expect((await cloud("status")).out).toContain(`AWS_ENDPOINT_URL=${json(started)["endpoint"]}`);
  expect(statSync(join(base, "cloud/cloud.json")).mode & 0o777).toBe(0o600);

  // What needs it stopped says so, and touches nothing.
  const copy = join(base, "copy");
  for (const words of [["start"], ["reset", "--yes"], ["export", copy]])
    expect(await cloud(...words)).toMatchObject({
      code: exitCodes.conflict,
      err: expect.stringContaining("coalmine cloud stop` first"),
    });
  expect((await cloud("stop", "--json")).code).toBe(0);
  expect((await cloud("status")).code).toBe(exitCodes.unreachable);

  expect(json(await cloud("export", copy, "--json"))).toEqual({ exported: copy, from: join(base, "cloud") });
  expect(readdirSync(copy)).not.toContain("cloud.json");
  expect(await cloud("export", copy)).toMatchObject({
    code: exitCodes.usage,
    err: expect.stringContaining("new folder"),
  });
  expect(await cloud("reset")).toMatchObject({
    code: exitCodes.usage,
    err: expect.stringContaining("--yes"),
  });
  expect(existsSync(join(base, "cloud"))).toBe(true);
  expect((await cloud("reset", "--yes")).code).toBe(0);
  expect(existsSync(join(base, "cloud"))).toBe(false);

  const opened = await cloud("start", "--state", copy, "--json");
  expect((await s3Of(opened).send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toEqual([
    "kept",
  ]);
  expect((await cloud("stop", "--state", copy)).code).toBe(0);
  // Devices know its ports: it comes back where it was.
  const again = await cloud("start", "--state", copy, "--json");
  expect(json(again)["ports"]).toEqual(json(opened)["ports"]);
  expect((await cloud("stop", "--state", copy)).code).toBe(0);
}, 180_000);

test("it serves loopback only unless it is said twice, and touches no folder that is not its own", async () => {
  expect(await cloud("start", "--listen", "0.0.0.0")).toMatchObject({
    code: exitCodes.usage,
    err: expect.stringContaining("serves loopback only"),
  });
  const foreign = join(base, "foreign");
  mkdirSync(foreign);
  for (const words of [
    ["reset", "--yes"],
    ["export", join(base, "none")],
  ])
    expect(await cloud(...words, "--state", foreign)).toMatchObject({
      err: expect.stringContaining("is not the state of a cloud"),
    });
  expect(existsSync(foreign)).toBe(true);
});

test("a start that fails says what the cloud said", async () => {
  expect(await cloud("start", "--region", "nowhere", "--state", join(base, "bad"))).toMatchObject({
    code: exitCodes.unexpected,
    err: expect.stringMatching(/did not start; it said: usage:/),
  });
});
