import type { ShownRollout, ShownTarget } from "../../api/show.ts";
import { beginsText } from "../../api/why.ts";
import { deviceStages, type DeviceStage } from "../../pipeline/controller/device-stage.ts";
import { durationText } from "../../pipeline/judge/verdict.ts";

/** Devices that are listed one by one; `--json` has all. */
const LISTED_MAX = 10;

const stageNames: Readonly<Record<DeviceStage, string>> = {
  notTold: "not told",
  told: "told",
  inProgress: "in progress",
  onCandidate: "on the candidate",
  back: "back on the last good",
  failed: "failed",
  silent: "silent",
  offline: "offline",
};

/** A rollout for a person's eyes, line by line. */
export function rolloutText(shown: ShownRollout): string {
  const { rollout, phase, ageMs, outcome, because, promotedBy, emergency, outstanding, overrides } = shown;
  const wishes = [emergency?.opened, emergency?.completed].filter((wish) => wish !== undefined);
  return [
    `${rollout} is ${phase}${outcome === undefined ? "" : ` (${outcome})`} since ${durationText(ageMs)}${because === undefined ? "" : `: ${because}`}`,
    ...(promotedBy === undefined ? [] : [`promoted by ${promotedBy}`]),
    ...wishes.map(({ by, reason }) => `${by} wants it let through unjudged: ${reason}`),
    ...overrides.map(({ stage, who, why }) => `${who} let it past ${stage}: ${why}`),
    ...shown.targets.flatMap(targetLines),
    ...(outstanding.length === 0 ? [] : [`to be done: ${some(outstanding)}`]),
    shown.next,
  ].join("\n");
}

function targetLines({ target, nowMs, verdict, watch, begins, deadline, progress }: ShownTarget): string[] {
  return [
    "",
    `${target}, ${new Date(nowMs).toISOString().slice(0, 16).replace("T", " ")} on its clock`,
    ...(verdict === undefined
      ? []
      : [`  ${verdict.verdict} after ${durationText(verdict.elapsedMs)}: ${verdict.because}`]),
    ...(watch === undefined ? [] : [`  its waves, ${watch.verdict}: ${watch.because}`]),
    ...(begins === undefined ? [] : [`  ${beginsText(begins)}`]),
    ...(deadline === undefined
      ? []
      : [
          `  deadline "${deadline.name}" in ${durationText(Math.max(0, deadline.inMs))}: then ${deadline.afterwards}`,
        ]),
    ...(progress === undefined ? [] : progressLines(progress, nowMs)),
  ];
}

function progressLines(
  { devices, stuck, newcomers }: NonNullable<ShownTarget["progress"]>,
  nowMs: number,
): string[] {
  const counts = deviceStages.map((stage) => `${devices[stage]} ${stageNames[stage]}`);
  return [
    `  ${counts.join(", ")}`,
    ...stuck.slice(0, LISTED_MAX).map(({ thing, stage, ageMs, deadline, next }) => {
      const until =
        deadline === undefined
          ? ""
          : ` (deadline "${deadline.name}" in ${durationText(Math.max(0, deadline.atMs - nowMs))})`;
      return `  ${thing}: ${stageNames[stage]} since ${durationText(ageMs)}${until}; ${next}`;
    }),
    ...(stuck.length > LISTED_MAX ? [`  and ${stuck.length - LISTED_MAX} more, all with --json`] : []),
    ...(newcomers.length === 0
      ? []
      : [
          `  ${newcomers.length} joined since the plan: ${some(newcomers.map(({ thing, group, set }) => `${thing} (${group}, gets the ${set === "candidate" ? "candidate" : "last good"})`))}`,
        ]),
  ];
}

function some(items: readonly string[]): string {
  const more = items.length - LISTED_MAX;
  return `${items.slice(0, LISTED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
