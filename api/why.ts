import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { catalogue } from "../pipeline/why/catalogue.ts";
import { troubleOf } from "../pipeline/why/troubles.ts";
import { beginnings, outcomes, phases, verdicts } from "../pipeline/why/phases.ts";
import { EvidenceStore } from "../pipeline/evidence/evidence-store.ts";
import { recentTally } from "../pipeline/evidence/recent-tally.ts";
import { waitsOf } from "../pipeline/evidence/tally.ts";
import { clientSettings, greengrassOf } from "../pipeline/target.ts";
import { durationText } from "../pipeline/judge/verdict.ts";
import { adviceOf } from "./advice.ts";
import { failuresOf } from "./failures.ts";
import { findRollout, type RolloutInput, type Api } from "./api.ts";
import { describeRollout, type RolloutDescription, type TargetDescription } from "./describe.ts";

/** Devices that are asked what keeps them; the others are counted. */
const ASKED_MAX = 5;

/**
 * Why a rollout is where it is: a sentence for where it stands, one for each target's verdict with what follows, one for
 * each device that is waited for with what keeps it, and what to do next.
 */
export async function why(api: Api, input: RolloutInput): Promise<string[]> {
  return whyOf(api, await describeRollout(api, input));
}

/** The same of one that was described already. */
export async function whyOf(api: Api, description: RolloutDescription): Promise<string[]> {
  const { rollout, phase, outcome, because, targets, overrides, outstanding } = description;
  const ended = Object.entries({ ...outcomes, ...beginnings }).find(
    ([name]) => name === (outcome ?? phase),
  )?.[1];
  const known = Object.entries(phases).find(([name]) => name === phase)?.[1];
  const where = because ?? known?.what ?? "it ends";
  const folded = await findRollout(api, rollout);
  const advice = await adviceOf(api, folded);
  const failures = await failuresOf(api, folded);
  const told = await Promise.all(targets.map((target) => ofTarget(api, target)));
  return [
    `${rollout} is ${phase}${outcome === undefined ? "" : `, ${outcome}`}: ${where.replace(/\.$/, "")}.`,
    ...told.flat(),
    ...failures,
    ...advice,
    ...overrides.map(({ stage, who, why: reason }) => `${who} let it past ${stage}: ${reason}.`),
    ...(outstanding.length === 0
      ? []
      : [
          `The controller has yet to do ${outstanding.join(", ")}; where that stays so, its log says what fails.`,
        ]),
    ended === undefined ? description.next : `${capital(ended[0])}; ${ended[1]}.`,
  ];
}

/** What a word means that a rollout, its judge or a device gave as a reason, and what to do; undefined for no such word. */
export function explain(word: string): string | undefined {
  const entry = catalogue.get(word);
  return entry === undefined ? undefined : `${word}: ${entry[0]}; ${entry[1]}.`;
}

async function ofTarget(
  api: Api,
  { target, nowMs, verdict, watch, begins, stuck, deadline, groups }: TargetDescription,
): Promise<string[]> {
  return [
    ...(verdict === undefined
      ? []
      : [
          `${target}, ${verdict.verdict} after ${durationText(verdict.elapsedMs)}: ${verdict.because} So ${verdicts[verdict.verdict][1]}.`,
        ]),
    ...(watch === undefined ? [] : [`${target}, its waves, ${watch.verdict}: ${watch.because}`]),
    ...(begins === undefined ? [] : [`${target} ${beginsText(begins)}.`]),
    ...(stuck === undefined
      ? []
      : [
          `${target} waits since ${durationText(stuck.ageMs)} for ${stuck.things.length} devices${stuck.things.length > ASKED_MAX ? `, of which ${ASKED_MAX} are told` : ""}:`,
          ...(await troubles(api, target, stuck.things.slice(0, ASKED_MAX), groups, nowMs)),
        ]),
    ...(deadline === undefined
      ? []
      : [
          `${target}: in ${durationText(Math.max(0, deadline.inMs))} the deadline "${deadline.name}" passes; then ${deadline.afterwards}.`,
        ]),
  ];
}

/** That a target begins nothing yet, until when, and what it waits for. */
export function beginsText({ atMs, inMs, waitsFor }: NonNullable<TargetDescription["begins"]>): string {
  const until = new Date(atMs).toISOString();
  return `begins nothing for another ${durationText(inMs)}, until ${until}: ${waitsFor === "window" ? "its maintenance window is closed" : "its fleet has to be quiet that long before the draw"}`;
}

async function troubles(
  { targets }: Api,
  target: string,
  things: readonly string[],
  groups: readonly string[],
  nowMs: number,
): Promise<string[]> {
  const own = targets.find(({ name }) => name === target);
  if (own === undefined) return things.map((thing) => `${thing}.`);
  const greengrass = greengrassOf(own);
  const dynamodb = new DynamoDBClient(clientSettings(own));
  try {
    const heard = await recentTally(new EvidenceStore(dynamodb, target), nowMs);
    return await Promise.all(
      things.map((thing) => troubleOf(greengrass, thing, groups, nowMs, waitsOf(heard[thing], nowMs))),
    );
  } finally {
    greengrass.destroy();
    dynamodb.destroy();
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
