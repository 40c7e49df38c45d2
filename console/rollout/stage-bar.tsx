import type { Stage } from "@coalmine/contract/operator-api";
import { useDesk } from "../frame/desk.ts";
import { Said } from "../shown/asked.tsx";
import type { Counted } from "../texts/counted.ts";
import { counted, countText, durationText, shareText } from "../shown/figures.ts";
import { To } from "../shown/link.tsx";
import { Status, type Tone } from "../shown/status.tsx";
import { WaitsFor } from "../shown/waits-for.tsx";

const tones: Readonly<Record<Stage["state"], Tone>> = {
  done: "good",
  now: "busy",
  held: "warn",
  next: "none",
  ended: "none",
};

/** Every stage in its order: how far it is on each target, until when, and what is stuck in it. */
export function StageBar({ stages }: { readonly stages: readonly Stage[] }) {
  const { texts, language } = useDesk();
  const { rollout, wave, stages: names, stageStates } = texts.value;
  const nameOf = ({ stage, wave: of }: Stage): string =>
    stage === "wave"
      ? wave(String(of?.number ?? ""), shareText(of?.share ?? 0, language.value))
      : names[stage];
  return (
    <section>
      <h2>{rollout.stages}</h2>
      <ol class="plain stages">
        {stages.map((stage) => (
          <li
            key={`${stage.stage} ${stage.wave?.number}`}
            class={stage.state}
            aria-current={stage.state === "now" || stage.state === "held" ? "step" : undefined}
          >
            <h3>{nameOf(stage)}</h3>
            <Status tone={tones[stage.state]} word={stageStates[stage.state]} />
            {isReached(stage) &&
              stage.targets.map((target) => <Arrived key={target.target} target={target} />)}
          </li>
        ))}
      </ol>
      {stages
        .filter(({ state }) => state === "now" || state === "held")
        .flatMap((stage) =>
          stage.targets.map((target) => <Now key={target.target} stage={nameOf(stage)} target={target} />),
        )}
    </section>
  );
}

type StageTarget = Stage["targets"][number];

function isReached({ state }: Stage): boolean {
  return state !== "next" && state !== "ended";
}

function Arrived({ target: { target, devices, arrived } }: { readonly target: StageTarget }) {
  const { texts, language } = useDesk();
  if (devices === 0) return null;
  return (
    <p>
      {target}:{" "}
      {texts.value.rollout.arrived(countText(arrived, language.value), counted(devices, language.value))}
    </p>
  );
}

/** How far the present stage is on a target, until when, what follows then, and what is stuck. */
function Now({
  stage,
  target: { target, deadline, progress, stuck },
}: {
  readonly stage: string;
  readonly target: StageTarget;
}) {
  const { texts, language, clocks, tick } = useDesk();
  void tick.value;
  const { rollout } = texts.value;
  const leftMs =
    deadline === undefined ? 0 : deadline.atMs - (clocks.now(target) ?? deadline.atMs - deadline.inMs);
  const left = durationText(Math.abs(leftMs), language.value);
  return (
    <div class="present">
      <h3>
        {stage}, {target}
      </h3>
      <progress value={progress} aria-label={`${stage}, ${target}`} />
      {deadline !== undefined && (
        <p>
          <strong>{leftMs >= 0 ? rollout.deadline(left) : rollout.overdue(left)}</strong>{" "}
          <Said text={`(${deadline.name}; then ${deadline.afterwards})`} />
        </p>
      )}
      <Late tone="busy" word={rollout.waiting} devices={stuck.filter(({ waits }) => waits !== undefined)} />
      <Late tone="warn" word={rollout.stuck} devices={stuck.filter(({ waits }) => waits === undefined)} />
    </div>
  );
}

/** Devices that are not where they should be: those whose work is waited for, or those that are stuck. */
function Late({
  tone,
  word,
  devices,
}: {
  readonly tone: Tone;
  readonly word: (count: Counted) => string;
  readonly devices: StageTarget["stuck"];
}) {
  const { texts, language } = useDesk();
  if (devices.length === 0) return null;
  return (
    <>
      <p>
        <Status tone={tone} word={word(counted(devices.length, language.value))} />
      </p>
      <ul class="plain">
        {devices.map(({ thing, stage, ageMs, waits, next }) => (
          <li key={thing}>
            <To place={{ page: "device", thing }}>{thing}</To>{" "}
            {waits === undefined ? (
              <>
                {texts.value.rollout.stuckIn(stage, durationText(ageMs, language.value))}.{" "}
                <Said text={next} />
              </>
            ) : (
              <WaitsFor waits={waits} />
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
