import type { JsonObject } from "@coalmine/ports";
import { parseConfiguration } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { Config, sources } from "./config.ts";
import { nameMatcher } from "./listing.ts";

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
    softLimitBytes: 10 * 1024 ** 2,
  });
  expect(hello).toMatchObject({ minimumLevel: "DEBUG", softLimitBytes: 20 * 1024, deleteAfterUpload: true });
});

test("takes the older list beside the map, which has the last word", () => {
  const found = sources(
    Config.parse({
      logsUploaderConfiguration: {
        componentLogsConfiguration: [
          { componentName: "a", minimumLogLevel: "WARN" },
          { componentName: "b", minimumLogLevel: "WARN", multiLineStartPattern: String.raw`^\d` },
        ],
        componentLogsConfigurationMap: { a: { minimumLogLevel: "ERROR" } },
      },
      updateToTlogIntervalSec: "300",
      deprecatedVersionSupport: "false",
    }),
    "/r",
  );
  expect(found.map(({ component, minimumLevel }) => [component, minimumLevel])).toEqual([
    ["a", "ERROR"],
    ["b", "WARN"],
  ]);
  expect(found[1]?.multiLine).toEqual({ kind: "pattern", pattern: String.raw`^\d` });
});

test("finds a component's active and rotated logs, and no other's", () => {
  const [source] = sources(
    Config.parse({
      logsUploaderConfiguration: { componentLogsConfigurationMap: { "coalmine.Inference": {} } },
    }),
    "/r",
  );
  const matches = nameMatcher(source?.fileName ?? "");
  expect(
    [
      "coalmine.Inference.log",
      "coalmine.Inference_2026_11_23_09_0.log",
      "coalmine.Inference_2026_11_23_09_0.log.gz",
      "coalmine.Inference_2026_11_23_09_0.log.zst",
    ].map(matches),
  ).toEqual([true, true, true, true]);
  expect(
    ["coalmine.InferenceX.txt", "coalmineXInference.log", "coalmine.LogManager.log"].map(matches),
  ).toEqual([false, false, false]);
});

const inMap = (logs: JsonObject): JsonObject => ({
  logsUploaderConfiguration: { componentLogsConfigurationMap: { a: logs } },
});
test.each<[JsonObject, string]>([
  [
    { deadLetters: { bucket: "Letters" } },
    '"deadLetters.bucket" is "Letters": must be a bucket name: 3 to 63',
  ],
  [
    { deadLetters: { bucket: "letters", prefix: "a//b" } },
    '"deadLetters.prefix" is "a//b": must be path parts',
  ],
  [
    { deadLetters: { bucket: "letters" }, deadLetterLimitKB: 0 },
    '"deadLetterLimitKB" is 0: at least 1 KB is needed where deadLetters is set',
  ],
  [
    { cloudWatch: { requestsPerSecond: 0 } },
    '"cloudWatch.requestsPerSecond" is 0: 0.1 to 100 requests a second are allowed',
  ],
  [
    inMap({ logFileRegex: "(" }),
    'componentLogsConfigurationMap.a.logFileRegex" is "(": a regular expression in RE2',
  ],
  [
    inMap({ multiLineStartPattern: "(?=x)" }),
    'multiLineStartPattern" is "(?=x)": a regular expression in RE2',
  ],
  [inMap({ multiLineStartPattern: "x".repeat(1001) }), "at most 1000 characters are allowed, it has 1001"],
  [inMap({ logFileDirectoryPath: "logs" }), 'logFileDirectoryPath" is "logs": an absolute path is needed'],
  [
    inMap({ minimumLogLevel: "LOUD" }),
    'minimumLogLevel" is "LOUD": one of DEBUG, INFO, WARN, ERROR, FATAL is needed',
  ],
  [inMap({ diskSpaceLimitUnit: "TB" }), 'diskSpaceLimitUnit" is "TB": one of KB, MB, GB is needed'],
  [{ periodicUploadIntervalSec: 0 }, '"periodicUploadIntervalSec" is 0: 0.1 to 86400 seconds are allowed'],
  [
    { periodicUploadIntervalSec: "soon" },
    '"periodicUploadIntervalSec" is "soon": a number from 0.1 to 86400 seconds',
  ],
  [{ cloudWatch: { retentionDays: 2 } }, '"cloudWatch.retentionDays" is 2: one of 1, 3, 5,'],
  [{ cloudWatch: { logGroupName: "a b" } }, '"cloudWatch.logGroupName" is "a b": 1 to 512 of letters'],
  [
    { cloudWatch: { kmsKeyId: "alias/logs" } },
    '"cloudWatch.kmsKeyId" is "alias/logs": a key\'s ARN is needed',
  ],
  [{ cloudWatch: { tags: { "aws:mine": "v" } } }, "keys without aws: in front"],
  [{ cloudWatch: { eventBytesMax: 10 } }, "1024 to 1048576 bytes are allowed"],
  [{ redaction: { presets: ["passport"] } }, '"redaction.presets.0" is "passport": one of email, ipAddress'],
  [{ redaction: { preset: [] } }, "redaction"],
  [{ liveTail: "yes" }, '"liveTail" is "yes": true or false is needed'],
])("refuses %j by key, value and what is allowed", (configuration, sentence) => {
  expect(() => parseConfiguration(Config, configuration)).toThrow(sentence);
});
