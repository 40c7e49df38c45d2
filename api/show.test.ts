import { AddThingToThingGroupCommand, CreateThingCommand } from "@aws-sdk/client-iot";
import { Closing } from "@coalmine/runtime";
import { afterEach, expect, test } from "vitest";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "../test/rig-cloud.ts";
import { showRollout, why } from "./index.ts";
import { startRig } from "./rig.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
let closing = new Closing();
afterEach(async () => {
  await closing.close();
  closing = new Closing();
});

test("a rollout shows where each device is from what the cloud saw of it: told, at work and what that waits for, on the candidate, silent, and who joined late [rollout-8.4]", async () => {
  const sizes = { home: 4 };
  const isNew = (version: string): boolean => version === "1.0.1";
  const start = (name: string, region: string) => startCloud(closing, name, region);
  const rig = await startRig(start, closing, sizes, { silent: isNew, waits: true });
  const { clock, region } = rig.home;
  await rig.push("2222222bbbbb", "1.0.1");
  const controller = rig.controller();
  const rollout = (await controller.tick()).rollout ?? "";
  const shown = async () => {
    const { targets } = await showRollout(rig.api, [region], { rollout });
    const { devices, stuck, newcomers } = targets[0]!.progress!;
    const there = Object.fromEntries(Object.entries(devices).filter(([, count]) => count > 0));
    return { there, stuck, newcomers };
  };
  const later = async (seconds: number) => {
    await clock.runUntil(clock.now() + seconds * 1000);
    await controller.tick();
  };
  expect((await shown()).there).toEqual({ notTold: 4 });
  for (let phase; phase !== "canary";) phase = (await controller.tick()).phase;
  await controller.tick();
  expect((await shown()).there).toEqual({ notTold: 3, told: 1 });
  await later(25);
  expect(await shown()).toMatchObject({
    there: { notTold: 3, inProgress: 1 },
    stuck: [
      {
        stage: "inProgress",
        ageMs: 5000,
        deadline: { name: "deploy" },
        waits: { for: "sample", sinceMs: clock.now() - 51_000, updateSinceMs: clock.now() - 7000 },
        next: expect.stringMatching(
          /^its update waits for the sample that has been running on it since .* UTC/,
        ),
      },
    ],
  });
  expect((await why(rig.api, { rollout })).join("\n")).toMatch(
    /home-\d: .*; its update waits for the sample that has been running on it since 2030-01-01 \d\d:\d\d UTC, and goes on by itself; last heard/,
  );
  await later(30);
  expect((await shown()).there).toEqual({ notTold: 3, onCandidate: 1 });
  await region.iot.send(new CreateThingCommand({ thingName: "late" }));
  const late = { thingName: "late", thingGroupName: region.target.mainGroup };
  await region.iot.send(new AddThingToThingGroupCommand(late));
  await clock.runUntil(clock.now() + 4 * 60_000);
  expect(await shown()).toMatchObject({
    there: { notTold: 3, silent: 1 },
    stuck: [{ stage: "silent", deadline: { name: "judge" } }],
    newcomers: [{ thing: "late", group: "coalmine-main", set: "lastGood" }],
  });
}, 180_000);
