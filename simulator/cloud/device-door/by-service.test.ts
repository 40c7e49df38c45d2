import { CreateJobCommand, CreatePolicyVersionCommand, CreateThingCommand } from "@aws-sdk/client-iot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConformanceCloud } from "../conformance/conformance-cloud.ts";

let cloud: ConformanceCloud;
beforeAll(async () => {
  cloud = await ConformanceCloud.start();
});
afterAll(() => cloud.close());

const thing = "arn:aws:iot:us-east-1:123456789012:thing";
const allow = (Action: string[], Resource: string[]) =>
  cloud.iot.send(
    new CreatePolicyVersionCommand({
      policyName: "core",
      policyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action, Resource }],
      }),
      setAsDefault: true,
    }),
  );

test("a device asks for its jobs, its shadow and to publish by its certificate, as far as its policy goes", async () => {
  const device = await cloud.device("press");
  await cloud.iot.send(new CreateThingCommand({ thingName: "other" }));
  await cloud.iot.send(new CreateJobCommand({ jobId: "j", targets: [`${thing}/press`], document: "{}" }));
  expect(await device.dataPlane("GET", "/things/press/jobs")).toMatchObject({
    status: 403,
    body: {
      message: expect.stringContaining("is not authorized to perform: iot-jobs-data:GetPendingJobExecutions"),
    },
  });
  await allow(
    ["iot:*JobExecution*", "iot:*ThingShadow", "iot:Publish"],
    [`${thing}/press`, "arn:aws:iot:us-east-1:123456789012:topic/from/press"],
  );
  expect(await device.dataPlane("GET", "/things/press/jobs")).toMatchObject({
    status: 200,
    body: { inProgressJobs: [], queuedJobs: [{ jobId: "j", executionNumber: 1 }] },
  });
  expect(await device.dataPlane("PUT", "/things/press/jobs/$next", {})).toMatchObject({
    body: { execution: { jobId: "j", status: "IN_PROGRESS", jobDocument: "{}" } },
  });
  expect((await device.dataPlane("POST", "/things/press/jobs/j", { status: "SUCCEEDED" })).status).toBe(200);
  expect(await device.dataPlane("GET", "/things/press/jobs/j?includeJobDocument=false")).toMatchObject({
    status: 410,
  });
  expect((await device.dataPlane("GET", "/things/other/jobs")).status).toBe(403);

  const reported = { state: { reported: { oil: 4 } } };
  expect(await device.dataPlane("POST", "/things/press/shadow?name=a", reported)).toMatchObject({
    status: 200,
    body: { version: 1 },
  });
  expect((await device.dataPlane("GET", "/things/other/shadow")).status).toBe(403);
  expect((await device.dataPlane("POST", "/topics/from%2Fpress?qos=1", { hello: 1 })).status).toBe(200);
  expect((await device.dataPlane("POST", "/topics/from%2Fother?qos=1", { hello: 1 })).status).toBe(403);
});

test("a device retains a message and asks for what is retained, each by a right of its own", async () => {
  const device = await cloud.device("keeper");
  const topic = "arn:aws:iot:us-east-1:123456789012:topic/kept/keeper";
  const retain = () => device.dataPlane("POST", "/topics/kept%2Fkeeper?retain=true", { hello: 1 });
  await allow(["iot:Publish"], [topic]);
  expect((await retain()).status).toBe(403);
  expect((await device.dataPlane("GET", "/retainedMessage/kept%2Fkeeper")).status).toBe(403);
  expect((await device.dataPlane("GET", "/retainedMessage")).status).toBe(403);
  await allow(["iot:Publish", "iot:RetainPublish", "iot:*RetainedMessage*"], [topic, "*"]);
  expect((await retain()).status).toBe(200);
  const payload = Buffer.from(JSON.stringify({ hello: 1 })).toString("base64");
  expect(await device.dataPlane("GET", "/retainedMessage/kept%2Fkeeper")).toMatchObject({
    status: 200,
    body: { topic: "kept/keeper", payload, qos: 0 },
  });
  expect(await device.dataPlane("GET", "/retainedMessage?maxResults=1")).toMatchObject({
    body: { retainedTopics: [{ topic: "kept/keeper" }] },
  });
});

test("a fault strikes a device's call, and a lost reply ends its connection", async () => {
  const device = await cloud.device("struck");
  await allow(["iot:*JobExecution*"], [`${thing}/struck`]);
  const strike = (fault: object) =>
    cloud.control("inject-fault", { service: "iot-jobs-data", thing: "struck", count: 1, ...fault });
  await strike({ kind: "throttle" });
  expect((await device.dataPlane("GET", "/things/struck/jobs")).status).toBe(429);
  await strike({ kind: "drop-reply" });
  await expect(device.dataPlane("GET", "/things/struck/jobs")).rejects.toThrow("socket hang up");
  expect((await device.dataPlane("GET", "/things/struck/jobs")).status).toBe(200);
});
