import { expect, test } from "vitest";
import type { BareClient } from "../broker/client.ts";
import { fleet, group, MINUTE, NS } from "./jobs-rig.ts";

const body = (client: BareClient, ending: string): Record<string, unknown>[] =>
  client.messages.flatMap(({ topic, payload }) =>
    topic.endsWith(ending) ? [JSON.parse(payload.toString()) as Record<string, unknown>] : [],
  );

test("a device hears of a job, takes the next, reports, and is told what is left, by the topics of Greengrass", async () => {
  const rig = await fleet(0);
  const certificateId = await rig.device("core");
  rig.parts.iot.things.addToGroup("core", "fleet");
  const base = "$aws/things/core/jobs";
  const device = await rig.connect("core", certificateId, "core");
  device.subscribe(
    `${base}/notify-namespace-${NS}`,
    `${base}/notify-next-namespace-${NS}`,
    `${base}/$next/namespace-${NS}/get/accepted`,
    `${base}/+/namespace-${NS}/update/accepted`,
    `${base}/+/namespace-${NS}/update/rejected`,
    `${base}/notify`,
  );
  const get = async () => {
    device.publish(
      `${base}/$next/namespace-${NS}/get`,
      JSON.stringify({ thingName: "core", jobId: "$next", includeJobDocument: true }),
    );
    await rig.clock.settle();
    return body(device, "/get/accepted").at(-1)?.["execution"] as Record<string, unknown> | undefined;
  };
  expect(await get()).toBeUndefined();

  await rig.create("one");
  await rig.clock.runUntil(rig.clock.now() + 1000);
  await rig.create("two");
  await rig.clock.settle();
  const notified = body(device, `notify-namespace-${NS}`);
  expect(notified[0]?.["jobs"]).toMatchObject({
    QUEUED: [{ jobId: "one", versionNumber: 1, executionNumber: 1 }],
  });
  expect(notified[1]?.["jobs"]).toMatchObject({ QUEUED: [{ jobId: "one" }, { jobId: "two" }] });
  // Two are queued, but which is next changed once.
  expect(body(device, `notify-next-namespace-${NS}`)).toHaveLength(1);
  expect(await get()).toMatchObject({
    jobId: "one",
    thingName: "core",
    status: "QUEUED",
    jobDocument: { jobId: "one" },
  });

  const update = async (jobId: string, request: object) => {
    device.publish(
      `${base}/${jobId}/namespace-${NS}/update`,
      JSON.stringify({ clientToken: "c", ...request }),
    );
    await rig.clock.settle();
    return device.messages.at(-1)?.topic.split("/").at(-1) === "rejected"
      ? body(device, "/update/rejected").at(-1)
      : body(device, "/update/accepted").at(-1);
  };
  expect(await update("two", { status: "IN_PROGRESS", statusDetails: {} })).toMatchObject({
    clientToken: "c",
  });
  // What is in progress goes before what waits longer.
  expect(await get()).toMatchObject({ jobId: "two", status: "IN_PROGRESS", versionNumber: 2 });
  expect(await update("two", { status: "SUCCEEDED", expectedVersion: 1 })).toMatchObject({
    code: "VersionMismatch",
    executionState: { status: "IN_PROGRESS", versionNumber: 2 },
  });
  await update("two", { status: "SUCCEEDED", statusDetails: { "detailed-deployment-status": "SUCCESSFUL" } });
  expect(await update("two", { status: "FAILED" })).toMatchObject({ code: "InvalidStateTransition" });
  expect(await update("three", { status: "FAILED" })).toMatchObject({ code: "ResourceNotFound" });
  expect(await update("one", { status: "DONE" })).toMatchObject({ code: "InvalidRequest" });
  await rig.call("CancelJob", { jobId: "one" });
  await rig.clock.settle();
  expect(body(device, `notify-namespace-${NS}`).at(-1)?.["jobs"]).toEqual({});
  expect(body(device, `notify-next-namespace-${NS}`).at(-1)).toEqual({ timestamp: expect.any(Number) });
  // Without its namespace it hears nothing.
  expect(body(device, "/jobs/notify")).toEqual([]);
  expect(
    rig.told.flatMap((event) => (event.kind === "job-execution" ? [`${event.jobId} ${event.status}`] : [])),
  ).toEqual(["one QUEUED", "two QUEUED", "two IN_PROGRESS", "two SUCCEEDED", "one CANCELED"]);
});

test("a continuous job follows the group: who joins gets it, who leaves before beginning is removed", async () => {
  const { create, call, counts, names, report, parts } = await fleet(3);
  await create("j");
  expect(counts("j")).toEqual({ QUEUED: 3 });
  const { things } = parts.iot;
  things.createThing("late");
  things.addToGroup("late", "fleet");
  expect(counts("j")).toEqual({ QUEUED: 4 });
  report("j", names[0] ?? "", "IN_PROGRESS");
  things.removeFromGroup(names[0] ?? "", "fleet");
  things.removeFromGroup(names[1] ?? "", "fleet");
  expect(counts("j")).toEqual({ IN_PROGRESS: 1, REMOVED: 1, QUEUED: 2 });
  things.addToGroup(names[1] ?? "", "fleet");
  expect((await call("DescribeJobExecution", { jobId: "j", thingName: names[1] })).execution).toMatchObject({
    status: "QUEUED",
    executionNumber: 2,
  });
  for (const name of [names[1], names[2], "late"]) report("j", name ?? "", "SUCCEEDED");
  expect((await call("DescribeJob", { jobId: "j" })).job.status).toBe("IN_PROGRESS");
});

test("a snapshot job takes who is there now, and completes", async () => {
  const { create, call, names, report, parts } = await fleet(2);
  await create("j", { targetSelection: "SNAPSHOT" });
  for (const name of names) report("j", name, "SUCCEEDED");
  parts.iot.things.createThing("late");
  parts.iot.things.addToGroup("late", "fleet");
  expect((await call("DescribeJob", { jobId: "j" })).job).toMatchObject({
    status: "COMPLETED",
    jobProcessDetails: { numberOfSucceededThings: 2 },
  });
});

test("a rollout creates no more than its rate in any minute", async () => {
  const { create, clock, counts } = await fleet(25);
  const start = clock.now();
  await create("j", { jobExecutionsRolloutConfig: { maximumPerMinute: 10 } });
  expect(counts("j").QUEUED).toBe(10);
  await clock.runUntil(start + MINUTE - 1);
  expect(counts("j").QUEUED).toBe(10);
  await clock.runUntil(start + MINUTE);
  expect(counts("j").QUEUED).toBe(20);
  await clock.runUntil(start + 2 * MINUTE);
  expect(counts("j").QUEUED).toBe(25);
});

test("an exponential rollout speeds up as things succeed, up to its maximum", async () => {
  const { create, clock, counts, names, report } = await fleet(100);
  await create("j", {
    jobExecutionsRolloutConfig: {
      maximumPerMinute: 30,
      exponentialRate: {
        baseRatePerMinute: 5,
        incrementFactor: 2,
        rateIncreaseCriteria: { numberOfSucceededThings: 5 },
      },
    },
  });
  const reached: number[] = [];
  for (let minute = 0; minute < 6; minute++) {
    reached.push(Object.values(counts("j")).reduce((sum, count) => sum + count, 0));
    // Nobody succeeds in the second minute: the rate stays.
    if (minute !== 1)
      for (const name of names.slice(0, reached.at(-1)))
        if (minute > 0 || name < "t0005") {
          try {
            report("j", name, "SUCCEEDED");
          } catch {
            // Not created yet.
          }
        }
    await clock.runUntil(clock.now() + MINUTE);
  }
  expect(reached).toEqual([5, 15, 25, 55, 85, 100]);
});

test("an abort criterion ends the job when enough have failed, and cancels what has not begun", async () => {
  const { create, call, names, report, counts, clock } = await fleet(10);
  await create("j", {
    jobExecutionsRolloutConfig: { maximumPerMinute: 6 },
    abortConfig: {
      criteriaList: [
        { failureType: "FAILED", action: "CANCEL", thresholdPercentage: 50, minNumberOfExecutedThings: 3 },
      ],
    },
  });
  report("j", names[0] ?? "", "FAILED");
  report("j", names[1] ?? "", "FAILED");
  expect((await call("DescribeJob", { jobId: "j" })).job.status).toBe("IN_PROGRESS");
  report("j", names[5] ?? "", "IN_PROGRESS");
  report("j", names[2] ?? "", "SUCCEEDED");
  const { job } = await call("DescribeJob", { jobId: "j" });
  expect(job).toMatchObject({ status: "CANCELED", reasonCode: "JOB_ABORTED" });
  expect(job.comment).toContain("2 of 3 executions");
  await clock.runUntil(clock.now() + 10 * MINUTE);
  expect(counts("j")).toEqual({ FAILED: 2, SUCCEEDED: 1, IN_PROGRESS: 1, CANCELED: 2 });
});

test("an execution in progress for too long times out, over a restart too", async () => {
  const rig = await fleet(2);
  await rig.create("j", { timeoutConfig: { inProgressTimeoutInMinutes: 5 } });
  for (const name of rig.names) rig.report("j", name, "IN_PROGRESS");
  await rig.clock.runUntil(rig.clock.now() + 3 * MINUTE);
  rig.report("j", rig.names[0] ?? "", "SUCCEEDED");
  rig.restart();
  await rig.clock.runUntil(rig.clock.now() + 2 * MINUTE - 1);
  expect(rig.parts.iotJobs.executions.counts("j")).toEqual({ SUCCEEDED: 1, IN_PROGRESS: 1 });
  await rig.clock.runUntil(rig.clock.now() + 1);
  expect(rig.parts.iotJobs.executions.counts("j")).toEqual({ SUCCEEDED: 1, TIMED_OUT: 1 });
});

test("a rollout goes on after a restart", async () => {
  const rig = await fleet(5);
  await rig.create("j", { jobExecutionsRolloutConfig: { maximumPerMinute: 2 } });
  rig.restart();
  await rig.clock.runUntil(rig.clock.now() + 3 * MINUTE);
  expect(rig.parts.iotJobs.executions.counts("j")).toEqual({ QUEUED: 5 });
});

test("cancelling spares what has begun unless it is forced", async () => {
  const { create, call, names, report, counts } = await fleet(3);
  await create("a");
  await create("b");
  for (const job of ["a", "b"]) report(job, names[0] ?? "", "IN_PROGRESS");
  await call("CancelJob", { jobId: "a" });
  await call("CancelJob", { jobId: "b", force: true });
  expect([counts("a"), counts("b")]).toEqual([{ IN_PROGRESS: 1, CANCELED: 2 }, { CANCELED: 3 }]);
  await expect(call("CancelJob", { jobId: "a" })).rejects.toMatchObject({ code: "InvalidRequestException" });
  expect(
    (await call("ListJobExecutionsForJob", { jobId: "a", status: "CANCELED" })).executionSummaries,
  ).toHaveLength(2);
  expect((await call("ListJobExecutionsForThing", { thingName: names[0] })).executionSummaries).toMatchObject(
    [
      { jobId: "a", jobExecutionSummary: { status: "IN_PROGRESS" } },
      { jobId: "b", jobExecutionSummary: { status: "CANCELED" } },
    ],
  );
});

test("what Greengrass asks for is a continuous job, and cancelling it twice is no error", async () => {
  const { parts } = await fleet(2);
  const { jobs } = parts;
  await jobs.create({
    jobId: "d",
    targetArn: group,
    document: "{}",
    rolloutConfig: undefined,
    abortConfig: undefined,
    timeoutConfig: undefined,
    namespaceId: NS,
  });
  expect(jobs.executionsOf("d").map(({ status }) => status)).toEqual(["QUEUED", "QUEUED"]);
  await jobs.cancel("d", { force: false });
  await jobs.cancel("d", { force: false });
  expect(jobs.executionsOf("d").map(({ status }) => status)).toEqual(["CANCELED", "CANCELED"]);
});

test.each([
  [{ document: "not JSON" }],
  [{ jobId: "a/b" }],
  [{ targets: ["arn:aws:iot:us-east-1:123456789012:cert/x"] }],
  [
    {
      jobExecutionsRolloutConfig: {
        exponentialRate: { baseRatePerMinute: 1, incrementFactor: 2, rateIncreaseCriteria: {} },
      },
    },
  ],
  [{ document: JSON.stringify("x".repeat(33_000)) }],
])("refuses a job that AWS would refuse: %j", async (options) => {
  const { create } = await fleet(1);
  await expect(create("j", options)).rejects.toMatchObject({ code: "InvalidRequestException" });
});

test("a continuous job takes more targets, and any job other settings, while it is in progress", async () => {
  const { call, clock, create, counts, names, parts } = await fleet(4);
  parts.iot.things.createThing("late");
  const late = "arn:aws:iot:us-east-1:123456789012:thing/late";
  await create("j", { jobExecutionsRolloutConfig: { maximumPerMinute: 1 } });
  expect(counts("j")).toEqual({ QUEUED: 1 });
  await call("UpdateJob", {
    jobId: "j",
    description: "faster",
    jobExecutionsRolloutConfig: { maximumPerMinute: 3 },
  });
  expect(counts("j")).toEqual({ QUEUED: 3 });
  await call("AssociateTargetsWithJob", { jobId: "j", targets: [late, group] });
  expect((await call("DescribeJob", { jobId: "j" })).job).toMatchObject({
    description: "faster",
    targets: [group, late],
    jobExecutionsRolloutConfig: { maximumPerMinute: 3 },
  });
  await clock.runUntil(clock.now() + MINUTE);
  expect(counts("j")).toEqual({ QUEUED: names.length + 1 });

  const refused = (operation: string, input: object) =>
    expect(call(operation, input)).rejects.toMatchObject({ code: "InvalidRequestException" });
  await create("once", { targetSelection: "SNAPSHOT" });
  await refused("AssociateTargetsWithJob", { jobId: "once", targets: [late] });
  await refused("AssociateTargetsWithJob", { jobId: "j", targets: ["arn:aws:s3:::x"] });
  await call("CancelJob", { jobId: "j" });
  await refused("UpdateJob", { jobId: "j", description: "too late" });
});

test("an execution is deleted when it is over or has not begun, one in progress by force alone", async () => {
  const { call, clock, create, report, counts } = await fleet(3);
  await create("j");
  report("j", "t0000", "IN_PROGRESS");
  report("j", "t0001", "IN_PROGRESS");
  report("j", "t0001", "SUCCEEDED");
  await clock.settle();
  const remove = (thingName: string, more: object = {}) =>
    call("DeleteJobExecution", { jobId: "j", thingName, executionNumber: 1, ...more });
  await expect(remove("t0000")).rejects.toMatchObject({ code: "InvalidStateTransitionException" });
  await expect(remove("t0001", { executionNumber: 2 })).rejects.toThrow("Only execution 1");
  await remove("t0001");
  await remove("t0002");
  expect(counts("j")).toEqual({ IN_PROGRESS: 1 });
  await remove("t0000", { force: true });
  expect(counts("j")).toEqual({});
  expect((await call("ListJobExecutionsForThing", { thingName: "t0000" })).executionSummaries).toEqual([]);
  await expect(call("DescribeJobExecution", { jobId: "j", thingName: "t0001" })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });

  await create("once", { targetSelection: "SNAPSHOT" });
  for (const thing of ["t0000", "t0001", "t0002"]) report("once", thing, "IN_PROGRESS");
  report("once", "t0000", "SUCCEEDED");
  await call("DeleteJobExecution", { jobId: "once", thingName: "t0000", executionNumber: 1 });
  for (const thing of ["t0001", "t0002"]) report("once", thing, "SUCCEEDED");
  expect((await call("DescribeJob", { jobId: "once" })).job.status).toBe("COMPLETED");
});
