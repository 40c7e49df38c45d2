import { expect, test } from "vitest";
import { fleet, MINUTE } from "./jobs-rig.ts";

const HOUR = 60 * MINUTE;
// The rig's clock begins on Friday, 2027-01-15, at 08:00 UTC.
const schedule = (schedulingConfig: object) => ({ schedulingConfig });

test("a job with a startTime is SCHEDULED until then, over a restart too, and takes who is there then", async () => {
  const rig = await fleet(2);
  const { call, clock, create, counts } = rig;
  const status = async () => (await call("DescribeJob", { jobId: "j" })).job.status;
  const start = clock.now();
  await create("j", { ...schedule({ startTime: "2027-01-15T09:00" }), targetSelection: "SNAPSHOT" });
  rig.restart();
  rig.parts.iot.things.createThing("late");
  rig.parts.iot.things.addToGroup("late", "fleet");
  await clock.runUntil(start + HOUR - 1);
  expect([await status(), counts("j")]).toEqual(["SCHEDULED", {}]);
  expect((await call("ListJobs", { status: "SCHEDULED" })).jobs).toMatchObject([{ jobId: "j" }]);
  await clock.runUntil(start + HOUR);
  expect([await status(), counts("j")]).toEqual(["IN_PROGRESS", { QUEUED: 3 }]);
});

test("a scheduled job can be changed and canceled, and is deleted by force alone", async () => {
  const { call, clock, create, counts } = await fleet(1);
  const later = schedule({ startTime: "2027-01-15T09:00Z" });
  await create("a", later);
  await call("UpdateJob", { jobId: "a", description: "soon" });
  expect(counts("a")).toEqual({});
  await call("CancelJob", { jobId: "a" });
  await create("b", later);
  await expect(call("DeleteJob", { jobId: "b" })).rejects.toMatchObject({
    code: "InvalidStateTransitionException",
  });
  await call("DeleteJob", { jobId: "b", force: true });
  await clock.runUntil(clock.now() + 2 * HOUR);
  expect((await call("DescribeJob", { jobId: "a" })).job.status).toBe("CANCELED");
  expect((await call("ListJobs", {})).jobs).toHaveLength(1);
});

test.each([
  ["STOP_ROLLOUT", { IN_PROGRESS: 1, QUEUED: 1 }, "IN_PROGRESS"],
  [undefined, { IN_PROGRESS: 1, QUEUED: 1 }, "IN_PROGRESS"],
  ["CANCEL", { IN_PROGRESS: 1, CANCELED: 1 }, "CANCELED"],
  ["FORCE_CANCEL", { CANCELED: 2 }, "CANCELED"],
])("at its endTime a job ends by %s", async (endBehavior, expected, status) => {
  const rig = await fleet(2);
  const { call, clock, create, report, counts } = rig;
  await create("j", schedule({ endTime: "2027-01-15T08:30", endBehavior }));
  report("j", "t0000", "IN_PROGRESS");
  rig.restart();
  await clock.runUntil(clock.now() + 30 * MINUTE);
  expect(counts("j")).toEqual(expected);
  expect((await call("DescribeJob", { jobId: "j" })).job.status).toBe(status);
  rig.parts.iot.things.createThing("late");
  rig.parts.iot.things.addToGroup("late", "fleet");
  expect(counts("j")).toEqual(expected);
  if (status === "CANCELED") return;
  for (const thing of ["t0000", "t0001"]) report("j", thing, "SUCCEEDED");
  expect((await call("DescribeJob", { jobId: "j" })).job.status).toBe("COMPLETED");
});

test("executions are created in maintenance windows alone, whoever joins waits for the next, and seven are told", async () => {
  const rig = await fleet(3);
  const { call, clock, create, counts } = rig;
  const start = clock.now();
  const maintenanceWindows = [{ startTime: "cron(0 10 ? * MON-FRI *)", durationInMinutes: 60 }];
  await create("j", {
    ...schedule({ maintenanceWindows }),
    jobExecutionsRolloutConfig: { maximumPerMinute: 2 },
  });
  const { job } = await call("DescribeJob", { jobId: "j" });
  expect(job.schedulingConfig).toEqual({ maintenanceWindows });
  expect(
    job.scheduledJobRollouts.map(({ startTime }: { startTime: string }) => startTime.slice(0, 13)),
  ).toEqual(["15", "18", "19", "20", "21", "22", "25"].map((day) => `2027-01-${day}T10`));
  await clock.runUntil(start + 2 * HOUR - 1);
  expect(counts("j")).toEqual({});
  rig.restart();
  await clock.runUntil(start + 2 * HOUR);
  expect(counts("j")).toEqual({ QUEUED: 2 });
  await clock.runUntil(start + 2 * HOUR + MINUTE);
  expect(counts("j")).toEqual({ QUEUED: 3 });
  const join = (name: string) => {
    rig.parts.iot.things.createThing(name);
    rig.parts.iot.things.addToGroup(name, "fleet");
  };
  await clock.runUntil(start + 3 * HOUR - 1);
  join("just-in-time");
  expect(counts("j")).toEqual({ QUEUED: 4 });
  await clock.runUntil(start + 3 * HOUR);
  join("late");
  // Until Monday.
  await clock.runUntil(start + 74 * HOUR - 1);
  expect(counts("j")).toEqual({ QUEUED: 4 });
  await clock.runUntil(start + 74 * HOUR);
  expect(counts("j")).toEqual({ QUEUED: 5 });
});

test.each([
  [{ startTime: "tomorrow" }],
  [{ startTime: "2027-13-01T00:00" }],
  [{ startTime: "2027-01-15T08:29" }],
  [{ startTime: "2028-02-15T08:00" }],
  [{ endTime: "2027-01-15T08:29" }],
  [{ startTime: "2027-01-15T09:00", endTime: "2027-01-15T09:29" }],
  [{ endTime: "2029-02-15T08:00" }],
  [{ maintenanceWindows: [{ startTime: "cron(0 10 * * *)", durationInMinutes: 60 }] }],
  [{ maintenanceWindows: [{ startTime: "cron(0 10 * * ? *)", durationInMinutes: 1431 }] }],
])("refuses a schedule that AWS would refuse: %j", async (config) => {
  const { create } = await fleet(1);
  await expect(create("j", schedule(config))).rejects.toMatchObject({ code: "InvalidRequestException" });
});
