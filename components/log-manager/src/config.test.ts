import { expect, test } from "vitest";
import { Config, sources } from "./config.ts";

test("takes AWS's own document, with its booleans and numbers as text", () => {
  const config = Config.parse({
    logsUploaderConfiguration: {
      systemLogsConfiguration: {
        uploadToCloudWatch: "true",
        minimumLogLevel: "WARN",
        diskSpaceLimit: "10",
        diskSpaceLimitUnit: "MB",
        deleteLogFileAfterCloudUpload: "false",
      },
      componentLogsConfigurationMap: {
        "com.example.HelloWorld": {
          minimumLogLevel: "DEBUG",
          diskSpaceLimit: "20",
          diskSpaceLimitUnit: "KB",
          deleteLogFileAfterCloudUpload: "true",
        },
      },
    },
    periodicUploadIntervalSec: "60",
  });
  const [system, hello] = sources(config, "/greengrass/v2");
  expect(system).toMatchObject({
    component: "System",
    folder: "/greengrass/v2/logs",
    minimumLevel: "WARN",
    diskLimitBytes: 10 * 1024 ** 2,
  });
  expect(hello).toMatchObject({ minimumLevel: "DEBUG", diskLimitBytes: 20 * 1024, deleteAfterUpload: true });
});

test("finds a component's active and rotated logs, and no other's", () => {
  const [source] = sources(
    Config.parse({
      logsUploaderConfiguration: { componentLogsConfigurationMap: { "coalmine.Inference": {} } },
    }),
    "/r",
  );
  const matches = (name: string) => source?.fileName.test(name);
  expect(["coalmine.Inference.log", "coalmine.Inference_2026_11_23_09_0.log"].map(matches)).toEqual([
    true,
    true,
  ]);
  expect(
    ["coalmine.InferenceX.txt", "coalmineXInference.log", "coalmine.LogManager.log"].map(matches),
  ).toEqual([false, false, false]);
});

test("refuses a regular expression that is none, and an interval out of range", () => {
  const broken = {
    logsUploaderConfiguration: { componentLogsConfigurationMap: { a: { logFileRegex: "(" } } },
  };
  expect(Config.safeParse(broken).error?.issues[0]?.message).toBe("not a regular expression");
  expect(Config.safeParse({ periodicUploadIntervalSec: 0 }).error?.issues[0]?.message).toBe(
    "0.1 to 86400 seconds",
  );
});
