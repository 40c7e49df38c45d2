import { afterAll, expect, test } from "vitest";
import { iotArn, startTestFleet } from "../../simulator/cloud/greengrass/test-fleet.ts";
import { troubleOf } from "./troubles.ts";

const fleet = await startTestFleet();
const { cloud, clock, greengrass, publish, deploy, wait } = fleet;
afterAll(() => fleet.close());

const trouble = (): Promise<string> => troubleOf(greengrass, "core-1", ["canary", "main"], clock.now());
let sequenceNumber = 0;

/** A status message of the device: what runs there. */
function say(status: string, code?: string): void {
  const componentStatusDetails =
    code === undefined ? null : { statusCodes: [code], statusReason: "the run script exited with code 3" };
  cloud.cloud.events.emit({
    kind: "mqtt-message",
    topic: "$aws/things/core-1/greengrassv2/health/json",
    clientId: "core-1",
    at: clock.now(),
    payload: Buffer.from(
      JSON.stringify({
        ggcVersion: "2.18.0",
        platform: "linux",
        architecture: "amd64",
        thing: "core-1",
        sequenceNumber: ++sequenceNumber,
        timestamp: clock.now(),
        messageType: "COMPLETE",
        trigger: "NUCLEUS_LAUNCH",
        overallDeviceStatus: code === undefined ? "HEALTHY" : "UNHEALTHY",
        components: [
          {
            componentName: "App",
            version: "1.0.0",
            isRoot: true,
            status,
            fleetConfigArns: [],
            componentStatusDetails,
          },
        ],
      }),
    ),
  });
}

function report(
  jobId: string | undefined,
  status: string,
  details: Readonly<Record<string, string>> = {},
): void {
  cloud.cloud.events.emit({
    kind: "job-execution",
    jobId: jobId ?? "",
    thingName: "core-1",
    status,
    statusDetails: details,
    at: clock.now(),
  });
}

test("a device that keeps a rollout waiting is told in one sentence: how far, why, the next action, and how old the news is", async () => {
  expect(await trouble()).toBe(
    "core-1: it has never been heard of as a core device; commission it, or take it out of its groups.",
  );
  say("RUNNING");
  expect(await trouble()).toMatch(/^core-1: its groups tell it nothing.*; last heard of 0 s ago\.$/);
  await publish("App", "1.0.0");
  const { iotJobId } = await deploy(`${iotArn}:thinggroup/canary`, { App: "1.0.0" });
  await wait(40 * 60_000);
  expect(await trouble()).toMatch(
    /^core-1: it has not begun its deployment \(40 min ago\); it takes it as soon as it is on line; .* last heard of 40\.1 min ago\.$/,
  );
  report(iotJobId, "IN_PROGRESS");
  await wait(120_000);
  expect(await trouble()).toMatch(
    /^core-1: it has begun its deployment and not ended it \(2 min ago\); look at greengrass\.log/,
  );
  report(iotJobId, "FAILED", {
    "detailed-deployment-status": "FAILED_ROLLBACK_COMPLETE",
    "deployment-failure-cause": "App ended three times",
    "deployment-error-stack": '["DEPLOYMENT_FAILURE","COMPONENT_UPDATE_ERROR","COMPONENT_BROKEN"]',
    "deployment-error-types": '["USER_COMPONENT_ERROR"]',
  });
  say("BROKEN", "RUN_ERROR");
  expect(await trouble()).toBe(
    'core-1: the deployment failed, and the device has gone back to what it ran (0 s ago) by COMPONENT_BROKEN, a component failed three times in a row and is given up ("FAILED_ROLLBACK_COMPLETE: App ended three times"); read its status code and the last lines of its log; `npm run simulate` with the same versions plays it back; App 1.0.0 is BROKEN there ("the run script exited with code 3") by RUN_ERROR, it ended by itself with a failure; read the last lines of its log on the device; last heard of 0 s ago.',
  );
});

test.each([
  ["DISK_SPACE_CRITICAL", "DEVICE_ERROR", /too little room for the artifacts.*free some/],
  ["S3_GET_OBJECT_ACCESS_DENIED", "PERMISSION_ERROR", /S3 refused the device the bytes.*token exchange role/],
  ["SOMETHING_NEW", "NETWORK_ERROR", /by SOMETHING_NEW, the network was in the way.*coalmine doctor/],
])("%s is told by its own sentence, or by that of its type", async (code, type, sentence) => {
  const { iotJobId } = await deploy(`${iotArn}:thinggroup/canary`, { App: "1.0.0" });
  report(iotJobId, "FAILED", {
    "detailed-deployment-status": "FAILED_NO_STATE_CHANGE",
    "deployment-error-stack": JSON.stringify(["DEPLOYMENT_FAILURE", code]),
    "deployment-error-types": JSON.stringify([type]),
  });
  expect(await trouble()).toMatch(sentence);
  expect(await trouble()).toContain("failed before it changed anything");
});
