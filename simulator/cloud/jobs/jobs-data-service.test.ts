import {
  DescribeJobExecutionCommand,
  GetPendingJobExecutionsCommand,
  IoTJobsDataPlaneClient,
  StartNextPendingJobExecutionCommand,
  UpdateJobExecutionCommand,
  type UpdateJobExecutionCommandInput,
} from "@aws-sdk/client-iot-jobs-data-plane";
import { DrivenClock } from "@coalmine/runtime";
import { afterEach, expect, test } from "vitest";
import { startTestCloud } from "../protocol/test-cloud.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const thingName = "press";
const document = JSON.stringify({ to: "do" });

/** A thing, its jobs as named, and the unmodified client of the jobs data plane. */
async function thingWithJobs(...jobIds: string[]) {
  const clock = new DrivenClock(1_800_000_000_000, () => new Promise((done) => setImmediate(done)));
  const started = await startTestCloud({ clock });
  const { cloud, client } = started;
  const jobs = new IoTJobsDataPlaneClient(client);
  open.push(started, { close: () => jobs.destroy() });
  await cloud.invoke("iot", "CreateThing", { thingName });
  const targets = [`arn:aws:iot:us-east-1:123456789012:thing/${thingName}`];
  const create = (jobId: string, more: object = {}) =>
    cloud.invoke("iot", "CreateJob", { jobId, targets, document, ...more });
  for (const jobId of jobIds) await create(jobId);
  return {
    clock,
    jobs,
    create,
    update: (jobId: string, input: Partial<UpdateJobExecutionCommandInput>) =>
      jobs.send(new UpdateJobExecutionCommand({ thingName, jobId, status: "IN_PROGRESS", ...input })),
    pending: () => jobs.send(new GetPendingJobExecutionsCommand({ thingName })),
    next: (stepTimeoutInMinutes?: number) =>
      jobs.send(new StartNextPendingJobExecutionCommand({ thingName, stepTimeoutInMinutes })),
    describe: (jobId: string) => jobs.send(new DescribeJobExecutionCommand({ thingName, jobId })),
  };
}

test("a thing lists, begins, describes and ends its jobs over HTTP", async () => {
  const { clock, pending, next, describe, update, create } = await thingWithJobs("one");
  await clock.runUntil(clock.now() + 1000);
  await create("two");
  await create("elsewhere", { namespaceId: "aws-gg-deployment" });
  const { inProgressJobs, queuedJobs } = await pending();
  expect(inProgressJobs).toEqual([]);
  expect(queuedJobs?.map(({ jobId }) => jobId)).toEqual(["one", "two"]);
  expect((await next()).execution).toEqual({
    jobId: "one",
    thingName,
    status: "IN_PROGRESS",
    statusDetails: {},
    queuedAt: 1_800_000_000,
    startedAt: 1_800_000_001,
    lastUpdatedAt: 1_800_000_001,
    versionNumber: 2,
    executionNumber: 1,
    jobDocument: document,
  });
  expect(
    await update("one", {
      status: "SUCCEEDED",
      statusDetails: { took: "1 s" },
      expectedVersion: 2,
      includeJobExecutionState: true,
      includeJobDocument: true,
    }),
  ).toMatchObject({
    executionState: { status: "SUCCEEDED", statusDetails: { took: "1 s" }, versionNumber: 3 },
    jobDocument: document,
  });
  expect((await describe("$next")).execution).toMatchObject({ jobId: "two", status: "QUEUED" });
  await update("two", { status: "REJECTED" });
  expect((await describe("$next")).execution).toBeUndefined();
  expect((await next()).execution).toBeUndefined();
});

test("what does not fit the state is refused with the client's own exceptions", async () => {
  const { jobs, describe, update } = await thingWithJobs("one");
  await expect(describe("none")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  await expect(jobs.send(new GetPendingJobExecutionsCommand({ thingName: "nobody" }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
  await expect(update("one", { expectedVersion: 9 })).rejects.toMatchObject({
    name: "InvalidRequestException",
    message: "The version is 1, not 9.",
  });
  await update("one", { status: "FAILED" });
  await expect(update("one", {})).rejects.toMatchObject({ name: "InvalidStateTransitionException" });
  await expect(describe("one")).rejects.toMatchObject({ name: "TerminalStateException" });
});

test("a step that takes too long times the execution out, unless a later report gives it more time or takes the step back", async () => {
  const { clock, next, update, describe, pending } = await thingWithJobs("one");
  const wait = (minutes: number) => clock.runUntil(clock.now() + minutes * 60_000);
  await next(2);
  expect((await describe("one")).execution?.approximateSecondsBeforeTimedOut).toBe(120);
  await wait(1);
  await update("one", { stepTimeoutInMinutes: 3 });
  await wait(2);
  expect((await describe("one")).execution?.approximateSecondsBeforeTimedOut).toBe(60);
  await update("one", { stepTimeoutInMinutes: -1 });
  await wait(60);
  expect((await pending()).inProgressJobs).toHaveLength(1);
  await update("one", { stepTimeoutInMinutes: 1 });
  await wait(2);
  await expect(describe("one")).rejects.toThrow("TIMED_OUT");
});
