import { expect, test } from "vitest";
import type { BareClient } from "../broker/client.ts";
import { fleet, MINUTE, NS } from "./jobs-rig.ts";

const retry = (...criteriaList: { failureType: string; numberOfRetries: number }[]) => ({
  jobExecutionsRetryConfig: { criteriaList },
});

test("an execution that failed is queued again as the next one, until its retries are used up", async () => {
  const { call, create, report, counts } = await fleet(2);
  await create("j", retry({ failureType: "FAILED", numberOfRetries: 2 }));
  const onThing = async () =>
    (await call("ListJobExecutionsForThing", { thingName: "t0000" })).executionSummaries;
  report("j", "t0000", "FAILED");
  expect(await onThing()).toMatchObject([
    { jobExecutionSummary: { status: "QUEUED", executionNumber: 2, retryAttempt: 1 } },
  ]);
  report("j", "t0000", "IN_PROGRESS");
  report("j", "t0000", "FAILED");
  expect(counts("j")).toEqual({ QUEUED: 2 });
  report("j", "t0000", "FAILED");
  expect(await onThing()).toMatchObject([
    { jobExecutionSummary: { status: "FAILED", executionNumber: 3, retryAttempt: 2 } },
  ]);
  report("j", "t0001", "REJECTED");
  expect(counts("j")).toEqual({ FAILED: 1, REJECTED: 1 });
});

test("a timeout is retried by its own criterion, over a restart too, and ALL counts both together", async () => {
  const rig = await fleet(1);
  const { clock, create, report, counts } = rig;
  const timeoutConfig = { inProgressTimeoutInMinutes: 1 };
  const both = retry(
    { failureType: "TIMED_OUT", numberOfRetries: 1 },
    { failureType: "FAILED", numberOfRetries: 1 },
  );
  await create("j", { timeoutConfig, ...both });
  report("j", "t0000", "IN_PROGRESS");
  rig.restart();
  await clock.runUntil(clock.now() + MINUTE);
  expect(counts("j")).toEqual({ QUEUED: 1 });
  rig.restart();
  report("j", "t0000", "FAILED");
  expect(counts("j")).toEqual({ QUEUED: 1 });
  report("j", "t0000", "IN_PROGRESS");
  await clock.runUntil(clock.now() + MINUTE);
  expect(counts("j")).toEqual({ TIMED_OUT: 1 });

  await create("all", { timeoutConfig, ...retry({ failureType: "ALL", numberOfRetries: 1 }) });
  report("all", "t0000", "FAILED");
  report("all", "t0000", "IN_PROGRESS");
  await clock.runUntil(clock.now() + MINUTE);
  expect(counts("all")).toEqual({ TIMED_OUT: 1 });
});

test("what is to be retried aborts no job and completes none; a canceled job is not retried", async () => {
  const { call, create, report, counts } = await fleet(1);
  const status = async (jobId: string) => (await call("DescribeJob", { jobId })).job.status;
  const abortConfig = {
    criteriaList: [
      { failureType: "FAILED", action: "CANCEL", thresholdPercentage: 50, minNumberOfExecutedThings: 1 },
    ],
  };
  const once = retry({ failureType: "FAILED", numberOfRetries: 1 });
  await create("abort", { abortConfig, ...once });
  report("abort", "t0000", "FAILED");
  expect(await status("abort")).toBe("IN_PROGRESS");
  report("abort", "t0000", "FAILED");
  expect(await status("abort")).toBe("CANCELED");

  await create("snapshot", { targetSelection: "SNAPSHOT", ...once });
  report("snapshot", "t0000", "FAILED");
  expect(await status("snapshot")).toBe("IN_PROGRESS");
  report("snapshot", "t0000", "SUCCEEDED");
  expect(await status("snapshot")).toBe("COMPLETED");

  await create("canceled", once);
  report("canceled", "t0000", "IN_PROGRESS");
  await call("CancelJob", { jobId: "canceled" });
  report("canceled", "t0000", "FAILED");
  expect(counts("canceled")).toEqual({ FAILED: 1 });
});

test("the device is told of the retry as of a new execution", async () => {
  const rig = await fleet(0);
  const certificateId = await rig.device("core");
  rig.parts.iot.things.addToGroup("core", "fleet");
  const device = await rig.connect("core", certificateId, "core");
  device.subscribe(`$aws/things/core/jobs/notify-next-namespace-${NS}`);
  await rig.create("j", retry({ failureType: "FAILED", numberOfRetries: 1 }));
  await rig.clock.runUntil(rig.clock.now() + 1000);
  device.publish(`$aws/things/core/jobs/j/namespace-${NS}/update`, JSON.stringify({ status: "FAILED" }));
  await rig.clock.settle();
  const first = { jobId: "j", executionNumber: 1, queuedAt: 1_800_000_000 };
  const second = { jobId: "j", executionNumber: 2, queuedAt: 1_800_000_001, versionNumber: 1 };
  expect(told(device)).toMatchObject([first, {}, second]);
});

const told = (client: BareClient): object[] =>
  client.messages.map(({ payload }) => {
    const { execution = {} }: { execution?: object } = JSON.parse(payload.toString());
    return execution;
  });

test.each([
  [retry()],
  [retry({ failureType: "REJECTED", numberOfRetries: 1 })],
  [retry({ failureType: "FAILED", numberOfRetries: 11 })],
])("refuses retries that AWS would refuse: %j", async (options) => {
  const { create } = await fleet(1);
  await expect(create("j", options)).rejects.toMatchObject({ code: "InvalidRequestException" });
});
