import { createHash } from "node:crypto";
import { paginateDescribeAlarms } from "@aws-sdk/client-cloudwatch";
import { paginateScan, ResourceNotFoundException } from "@aws-sdk/client-dynamodb";
import type { Alarm, Alarms } from "@coalmine/contract/operator-api";
import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import { durationText } from "../../pipeline/judge/verdict.ts";
import { ageOf } from "../age.ts";
import { ApiError } from "../api-error.ts";
import type { Api } from "../api.ts";
import { COMMISSIONING_TABLE } from "../claims/claim-cloud.ts";
import { describeRollout, listRollouts } from "../describe.ts";
import type { OperatorRegion } from "../operator-region.ts";
import { newestSilence, shownSilence } from "./silences.ts";

/** A device that is on its way is none that is stuck. */
const STUCK_AFTER_MS = 5 * 60_000;
const ROLLOUTS_MAX = 10;
const NAMED_MAX = 5;

export interface AlarmsParts {
  readonly api: Api;
  /** Home first. */
  readonly regions: readonly OperatorRegion[];
  /** On which people take alarms on, and silence them. */
  readonly clock: Pick<Clock, "now">;
}

/** What somebody should look at, and has acknowledged or silenced or not. */
export async function listAlarms({ api, regions, clock }: AlarmsParts): Promise<Alarms> {
  const [home] = regions;
  const found = await Promise.all([
    ...regions.map((region) => cloudAlarms(api, region)),
    rolloutAlarms(api),
    ...(home === undefined ? [] : [refusedClaims(api, home)]),
  ]);
  const alarms: Alarm[] = [];
  for (const alarm of found.flat()) {
    const [acknowledged, silence] = await Promise.all([
      acknowledgementOf(api, alarm.alarm),
      newestSilence(api, alarm.source),
    ]);
    alarms.push({
      ...alarm,
      ...(acknowledged === undefined ? {} : { acknowledged }),
      ...(silence === undefined || silence.untilMs <= clock.now() ? {} : { silenced: shownSilence(silence) }),
    });
  }
  alarms.sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)) || b.sinceMs - a.sinceMs);
  return { alarms, unacknowledged: alarms.filter(isOpen).length };
}

/** @throws ApiError where it is over */
export async function findAlarm(parts: AlarmsParts, alarm: string): Promise<Alarm> {
  const found = (await listAlarms(parts)).alarms.find((one) => one.alarm === alarm);
  if (found !== undefined) return found;
  throw new ApiError("ERR_API_NOT_FOUND", "there is no such alarm any more; look at the alarms again");
}

function isOpen({ acknowledged, silenced }: Alarm): boolean {
  return acknowledged === undefined && silenced === undefined;
}

export const Acknowledgement = z.object({ who: z.string(), atMs: z.number(), reason: z.string() });

export async function acknowledgementOf({ log }: Api, alarm: string): Promise<Alarm["acknowledged"]> {
  const text = await log.noted(noteOf(alarm));
  return text === undefined ? undefined : Acknowledgement.parse(JSON.parse(text));
}

export function noteOf(alarm: string): string {
  return `acknowledged#${alarm}`;
}

/** What comes from the same has one source, and each occurrence of it a name of its own, wherever it is looked at. */
function named(
  kind: Alarm["kind"],
  source: readonly string[],
  occurrence: readonly (string | number)[],
): Pick<Alarm, "kind" | "alarm" | "source"> {
  return { kind, alarm: hashOf(kind, ...source, ...occurrence), source: hashOf(kind, ...source) };
}

function hashOf(...parts: readonly (string | number)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
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
        ...named("cloudwatch", [fleet, AlarmName], [sinceMs]),
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
        ...named("rolloutWaits", [rollout], [phase, sinceMs]),
        sinceMs,
        seen: ageOf(first.nowMs, first.nowMs),
        sentence: `${rollout} is ${phase} and waits for a person${first.deadline === undefined ? "" : `, for another ${durationText(Math.max(0, first.deadline.inMs))}`}.`,
        next,
        link,
      });
    }
    for (const { target, stuck, nowMs, sinceMs } of targets) {
      if (stuck === undefined || stuck.ageMs < STUCK_AFTER_MS) continue;
      const some = stuck.things.slice(0, NAMED_MAX).join(", ");
      const more = stuck.things.length > NAMED_MAX ? ` and ${stuck.things.length - NAMED_MAX} more` : "";
      alarms.push({
        ...named("stuckRollout", [rollout, target], [phase, sinceMs]),
        fleet: target,
        sinceMs,
        seen: ageOf(nowMs, nowMs),
        sentence: `${rollout}, ${phase}, waits since ${durationText(stuck.ageMs)} for ${some}${more}.`,
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
          ...named("claimRefused", [code], [reason, sinceMs]),
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
