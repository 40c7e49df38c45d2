import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { deviceUnderTest, groupDocument } from "../testing/device.ts";

type Device = Awaited<ReturnType<typeof deviceUnderTest>>;

/** Devices of one machine know what others have fetched, so each test has bytes of its own. */
const kilobyte = (fill: number) => new Uint8Array(1000).fill(fill);
const Lifecycle = { Run: "stay" };

async function deployed(it: Device, revision = 1, version = "1.0.0"): Promise<unknown[]> {
  it.cloud.deployJob(`job-${revision}`, groupDocument(revision, { A: { version } }));
  await it.run(10_000);
  const last = it.cloud.statusesOf(`job-${revision}`).at(-1) as {
    status: string;
    statusDetails: Record<string, string>;
  };
  const stack: unknown = JSON.parse(last.statusDetails["deployment-error-stack"] ?? "[]");
  return [last.status, ...(stack as string[])];
}

test("an artifact's file is named as the end of its URI, a ZIP's folder as the file without its extension [core-device-3.6]", async () => {
  const it = await deviceUnderTest();
  const zip = zipSync({ "main.sh": kilobyte(1) });
  it.cloud.addComponent("A", "1.0.0", { Lifecycle }, { "tool.1.zip": zip, "data.bin": kilobyte(2) });
  expect(await deployed(it)).toEqual(["SUCCEEDED"]);
  expect(await it.root.list("packages/artifacts/A/1.0.0")).toEqual(["data.bin", "tool.1.zip"]);
  expect(await it.root.list("packages/artifacts-unarchived/A/1.0.0")).toEqual(["tool.1"]);
});

test("without 20 MiB of room, or past componentStoreMaxSizeBytes, no artifact is taken [core-device-3.7]", async () => {
  const critical = ["FAILED", "DEPLOYMENT_FAILURE", "ARTIFACT_DOWNLOAD_ERROR", "DISK_SPACE_CRITICAL"];
  const full = await deviceUnderTest();
  Object.assign(full.root, { freeBytes: async () => 20 * 1024 * 1024 - 1 });
  full.cloud.addComponent("A", "1.0.0", { Lifecycle }, { "a.bin": kilobyte(3) });
  expect(await deployed(full)).toEqual(critical);
  expect(full.cloud.downloads).toEqual([]);

  const small = await deviceUnderTest({ nucleusConfiguration: { componentStoreMaxSizeBytes: 1500 } });
  small.cloud.addComponent("A", "1.0.0", { Lifecycle }, { "a.bin": kilobyte(4) });
  small.cloud.addComponent("A", "2.0.0", { Lifecycle }, { "a.bin": kilobyte(5).subarray(0, 501) });
  expect(await deployed(small)).toEqual(["SUCCEEDED"]);
  expect(await deployed(small, 2, "2.0.0")).toEqual(critical);
  expect(small.versionOf("A")).toBe("1.0.0");
});

test("a ZIP that says it holds more than there is room for is not extracted [core-device-3.10]", async () => {
  const it = await deviceUnderTest({ nucleusConfiguration: { componentStoreMaxSizeBytes: 50_000 } });
  const bomb = zipSync({ "a.bin": new Uint8Array(60_000).fill(6) });
  it.cloud.addComponent("A", "1.0.0", { Lifecycle }, { "a.zip": bomb });
  expect(await deployed(it)).toEqual([
    "FAILED",
    "DEPLOYMENT_FAILURE",
    "ARTIFACT_DOWNLOAD_ERROR",
    "IO_ERROR",
    "IO_UNZIP_ERROR",
  ]);
  expect(await it.root.list("packages/artifacts-unarchived/A/1.0.0")).toEqual([]);
});

test.each(["s3://bucket/..", "s3://bucket/a:..", "greengrass:..", "greengrass:."])(
  "an artifact whose name would be another folder is refused: %s [core-device-3.6]",
  async (Uri) => {
    const it = await deviceUnderTest();
    it.cloud.addComponent("A", "1.0.0", { Manifests: [{ Lifecycle, Artifacts: [{ Uri }] }] });
    expect(await deployed(it)).toEqual([
      "FAILED",
      "DEPLOYMENT_FAILURE",
      "ARTIFACT_DOWNLOAD_ERROR",
      "ARTIFACT_URI_NOT_VALID",
    ]);
    expect(it.cloud.downloads).toEqual([]);
  },
);

test("a digest whose algorithm is not told cannot be checked [core-device-3.8]", async () => {
  const it = await deviceUnderTest();
  const Artifacts = [{ Uri: "s3://bucket/a.bin", Digest: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }];
  it.cloud.addComponent("A", "1.0.0", { Manifests: [{ Lifecycle, Artifacts }] });
  expect(await deployed(it)).toEqual([
    "FAILED",
    "DEPLOYMENT_FAILURE",
    "ARTIFACT_DOWNLOAD_ERROR",
    "RECIPE_MISSING_ARTIFACT_HASH_ALGORITHM",
  ]);
});

test("what the server cannot give now is asked for again after half a minute to a minute, however long [core-device-3.9]", async () => {
  const it = await deviceUnderTest();
  const Artifacts = [{ Uri: "s3://refused/503" }];
  it.cloud.addComponent("A", "1.0.0", { Manifests: [{ Lifecycle, Artifacts }] });
  expect(await deployed(it)).toEqual(["IN_PROGRESS"]);
  await it.run(3 * 3_600_000);
  expect(it.cloud.downloads.length).toBeGreaterThan(210);
  expect(it.cloud.downloads.length).toBeLessThan(270);
  expect(it.cloud.statusesOf("job-1").at(-1)?.["status"]).toBe("IN_PROGRESS");
});
