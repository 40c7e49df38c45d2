import { createHash } from "node:crypto";
import { paginateDescribeAlarms } from "@aws-sdk/client-cloudwatch";
import { paginateScan, ResourceNotFoundException } from "@aws-sdk/client-dynamodb";
import type { Alarm, Alarms } from "@coalmine/contract/operator-api";
import * as z from "zod";
import { durationText } from "../../pipeline/judge/verdict.ts";
import { ageOf } from "../age.ts";
import type { Api } from "../api.ts";
import { COMMISSIONING_TABLE } from "../claims/claim-cloud.ts";
import { describeRollout, listRollouts } from "../describe.ts";
import type { OperatorRegion } from "../operator-region.ts";

/** A device that is on its way is none that is stuck. */
const STUCK_AFTER_MS = 5 * 60_000;
const ROLLOUTS_MAX = 10;
const NAMED_MAX = 5;

/** What somebody should look at, and has acknowledged or not; the first region is home. */
export async function listAlarms(api: Api, regions: readonly OperatorRegion[]): Promise<Alarms> {
  const [home] = regions;
  const found = await Promise.all([
    ...regions.map((region) => cloudAlarms(api, region)),
    rolloutAlarms(api),
    ...(home === undefined ? [] : [refusedClaims(api, home)]),
  ]);
  const alarms: Alarm[] = [];
  for (const alarm of found.flat()) {
    const acknowledged = await acknowledgementOf(api, alarm.alarm);
    alarms.push({ ...alarm, ...(acknowledged === undefined ? {} : { acknowledged }) });
  }
  alarms.sort(
    (a, b) =>
      Number(a.acknowledged !== undefined) - Number(b.acknowledged !== undefined) || b.sinceMs - a.sinceMs,
  );
  return { alarms, unacknowledged: alarms.filter(({ acknowledged }) => acknowledged === undefined).length };
}

export const Acknowledgement = z.object({ who: z.string(), atMs: z.number(), reason: z.string() });

export async function acknowledgementOf({ log }: Api, alarm: string): Promise<Alarm["acknowledged"]> {
  const text = await log.noted(noteOf(alarm));
  return text === undefined ? undefined : Acknowledgement.parse(JSON.parse(text));
}

export function noteOf(alarm: string): string {
  return `acknowledged#${alarm}`;
}

/** The same occurrence has the same name wherever it is looked at. */
function occurrence(kind: Alarm["kind"], ...parts: readonly (string | number)[]): string {
  return createHash("sha256")
    .update(JSON.stringify([kind, ...parts]))
    .digest("hex")
    .slice(0, 16);
}

async function cloudAlarms(api: Api, region: OperatorRegion): Promise<Alarm[]> {
  const fleet = region.target.name;
  const nowMs = await api.time.now(region.target);
  const alarms: Alarm[] = [];
  for await (const { MetricAlarms = [] } of paginateDescribeAlarms(
    { client: region.cloudwatch },
    { StateValue: "ALARM" },
  ))
    for (const {
      AlarmName = "",
      AlarmDescription,
      StateReason = "",
      StateUpdatedTimestamp,
    } of MetricAlarms) {
      const sinceMs = StateUpdatedTimestamp?.getTime() ?? nowMs;
      alarms.push({
        alarm: occurrence("cloudwatch", fleet, AlarmName, sinceMs),
        kind: "cloudwatch",
        fleet,
        sinceMs,
        seen: ageOf(nowMs, nowMs),
        sentence: `${AlarmName}: ${StateReason}`,
        next: AlarmDescription ?? "Look at the metric in CloudWatch.",
        link: `/fleets/${fleet}`,
      });
    }
  return alarms;
}

/** Rollouts that wait for devices, or for a person. */
async function rolloutAlarms(api: Api): Promise<Alarm[]> {
  const alarms: Alarm[] = [];
  for (const { rollout, outcome, phase } of await listRollouts(api, { limit: ROLLOUTS_MAX })) {
    if (outcome !== undefined && phase !== "ending") continue;
    const { targets, next } = await describeRollout(api, { rollout });
    const waits = ["awaitingPromotion", "inconclusive", "held"].includes(phase);
    const [first] = targets;
    const link = `/rollouts/${rollout}`;
    if (waits && first !== undefined) {
      const sinceMs = first.sinceMs;
      alarms.push({
        alarm: occurrence("rolloutWaits", rollout, phase, sinceMs),
        kind: "rolloutWaits",
        sinceMs,
        seen: ageOf(first.nowMs, first.nowMs),
        sentence: `${rollout} is ${phase} and waits for a person${first.deadline === undefined ? "" : `, for another ${durationText(Math.max(0, first.deadline.inMs))}`}.`,
        next,
        link,
      });
    }
    for (const { target, stuck, nowMs, sinceMs } of targets) {
      if (stuck === undefined || stuck.ageMs < STUCK_AFTER_MS) continue;
      const named = stuck.things.slice(0, NAMED_MAX).join(", ");
      const more = stuck.things.length > NAMED_MAX ? ` and ${stuck.things.length - NAMED_MAX} more` : "";
      alarms.push({
        alarm: occurrence("stuckRollout", rollout, phase, target, sinceMs),
        kind: "stuckRollout",
        fleet: target,
        sinceMs,
        seen: ageOf(nowMs, nowMs),
        sentence: `${rollout}, ${phase}, waits since ${durationText(stuck.ageMs)} for ${named}${more}.`,
        next,
        link,
      });
    }
  }
  return alarms;
}

const Refusal = z.object({ reason: z.string(), message: z.string() });

/** Devices that the allow-list refused, by their code. */
async function refusedClaims(api: Api, home: OperatorRegion): Promise<Alarm[]> {
  const nowMs = await api.time.now(home.target);
  const alarms: Alarm[] = [];
  const pages = paginateScan(
    { client: home.dynamodb },
    {
      TableName: COMMISSIONING_TABLE,
      FilterExpression: "attribute_exists(#refusal)",
      ExpressionAttributeNames: { "#refusal": "refusal" },
    },
  );
  try {
    for await (const { Items = [] } of pages)
      for (const { item, refusal, refusedMs } of Items) {
        const code = item?.S?.replace(/^code#/, "") ?? "";
        const { reason, message } = Refusal.parse(JSON.parse(refusal?.S ?? "{}"));
        const sinceMs = Number(refusedMs?.N ?? nowMs);
        alarms.push({
          alarm: occurrence("claimRefused", code, reason, sinceMs),
          kind: "claimRefused",
          fleet: home.target.name,
          sinceMs,
          seen: ageOf(nowMs, nowMs),
          sentence: `The device that showed the code ${code}-… was refused (${reason}): ${message}`,
          next: "Compare the device with what the code is for; then mint it another one with `coalmine device claim`, or find out who has this one.",
          link: "/alarms",
        });
      }
  } catch (failure) {
    // Where nobody was ever commissioned there is no table of it.
    if (!(failure instanceof ResourceNotFoundException)) throw failure;
  }
  return alarms;
}
