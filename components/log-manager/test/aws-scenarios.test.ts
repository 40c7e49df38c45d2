import { expect, test } from "vitest";
import { loneComponent } from "../../../simulator/fleet/hosted/lone-component.ts";
import { World } from "./world.ts";

/** The seven scenarios by which AWS accepts a release of LogManager, on a driven clock. */
async function world(configuration: object = {}): Promise<World> {
  const made = new World(loneComponent("aws", Date.UTC(2026, 10, 23, 9)), {
    healthIntervalSeconds: 1,
    ...configuration,
  });
  await made.start();
  return made;
}
const logs = { logFileRegex: String.raw`^app.*\.log(\.\d+)?$`, logFileDirectoryPath: "/logs" };

test.each([
  ["1: the configuration as a map", { componentLogsConfigurationMap: { "com.example.A": logs } }],
  [
    "2: the configuration as a list",
    { componentLogsConfiguration: [{ componentName: "com.example.A", ...logs }] },
  ],
])("AWS's scenario %s", async (_, logsUploaderConfiguration) => {
  const it = await world({ logsUploaderConfiguration });
  it.write("app.log", "hello");
  await it.run(5000);
  expect(it.texts()).toEqual(["hello"]);
  expect([...it.cloud.groups]).toEqual(["/aws/greengrass/UserComponent/eu-central-1/com.example.A"]);
  await it.stop();
});

test("AWS's scenario 3: rotated files are deleted after upload, and none that is not uploaded", async () => {
  const it = await world({ logs: { deleteLogFileAfterCloudUpload: "true" } });
  it.write("app.log.1", "uploaded");
  it.write("app.log", "being written");
  await it.run(20_000);
  expect([...it.disk.names.keys()]).toEqual(["app.log"]);
  it.cloud.weather.isOnline = false;
  it.disk.rename("app.log", "app.log.2");
  it.write("app.log", "later");
  it.write("app.log.2", "not uploaded");
  await it.run(60_000);
  expect([...it.disk.names.keys()].toSorted()).toEqual(["app.log", "app.log.2"]);
  await it.stop();
});

test("AWS's scenario 4: beyond the disk limit the oldest uploaded files go first", async () => {
  const it = await world({ logs: { diskSpaceLimit: "2", diskSpaceLimitUnit: "KB" } });
  for (const name of ["app.log.1", "app.log.2", "app.log.3", "app.log"]) {
    it.write(name, name.repeat(80));
    await it.run(10);
  }
  await it.run(30_000);
  expect([...it.disk.names.keys()]).toEqual(["app.log.3", "app.log"]);
  expect(it.texts()).toHaveLength(4);
  await it.stop();
});

test("AWS's scenario 5: a network that is lost comes back, and all lines arrive, each once", async () => {
  const it = await world();
  it.write("app.log", "before");
  await it.run(5000);
  it.cloud.weather.isOnline = false;
  for (let n = 0; n < 20; n++) {
    it.write("app.log", `during ${n}`);
    if (n === 10) it.disk.rename("app.log", "app.log.1");
    await it.run(30_000);
  }
  it.cloud.weather.isOnline = true;
  await it.run(400_000);
  expect(it.texts().toSorted()).toEqual(
    ["before", ...Array.from({ length: 20 }, (_, n) => `during ${n}`)].toSorted(),
  );
  await it.stop();
});

const many = process.env["COALMINE_LONG"] === "1" ? 200_000 : 20_000;
test.each([
  ["6: more than 10,000 lines in one file", 10_050, 1],
  [`7: ${many} lines in rotated files, while the service refuses and answers are lost`, many, 8],
])("AWS's scenario %s", { timeout: 600_000 }, async (_, lines, files) => {
  const it = await world();
  it.cloud.weather.throttled = files === 1 ? 0 : 0.1;
  it.cloud.weather.lostReply = files === 1 ? 0 : 0.02;
  for (let file = files - 1, n = 0; file >= 0; file--) {
    const node = it.disk.create(file === 0 ? "app.log" : `app.log.${file}`);
    let text = "";
    for (const end = n + lines / files; n < end; n++)
      text += `2026-11-23 08:00:00 INFO line ${n}, ${"x".repeat(60)}\n`;
    it.disk.append(node, text);
    await it.run(1);
  }
  await it.run(600_000);
  expect(new Set(it.texts()).size).toBe(lines);
  if (files === 1) expect(it.texts()).toHaveLength(lines);
  expect(it.cloud.violations).toEqual([]);
  expect(it.counters()).toMatchObject({ lines, uploadedLines: lines });
  await it.stop();
});
