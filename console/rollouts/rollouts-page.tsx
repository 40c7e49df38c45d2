import type { RolloutSummary } from "@coalmine/contract/operator-api";
import type { Texts } from "../texts/en.ts";
import { useDesk } from "../frame/desk.ts";
import { useWatched } from "../frame/watched.ts";
import { Asked, Said } from "../shown/asked.tsx";
import { timeText } from "../shown/figures.ts";
import { To } from "../shown/link.tsx";
import { Status, type Tone } from "../shown/status.tsx";

/** The latest rollouts, newest first. */
export function RolloutsPage() {
  const { texts, language } = useDesk();
  const { watched, again } = useWatched(
    "rollouts",
    ({ ask }) => ask("rollouts"),
    ({ event }) => event === "entry",
  );
  const { rollouts } = texts.value;
  return (
    <Asked watched={watched.value} again={again}>
      {(listed) =>
        listed.length === 0 ? (
          <p>{rollouts.empty}</p>
        ) : (
          <ul class="plain cards">
            {listed.map((one) => (
              <li key={one.rollout} class="card">
                <h2>
                  <To place={{ page: "rollout", rollout: one.rollout }}>{one.rollout}</To>
                </h2>
                <p>
                  <PhaseOf summary={one} />
                </p>
                <p class="quiet">
                  {rollouts.started} {timeText(one.startedMs, language.value)},{" "}
                  {rollouts.commit.toLowerCase()} <code>{one.commit.slice(0, 12)}</code>
                </p>
                {one.because !== undefined && (
                  <p>
                    <Said text={one.because} />
                  </p>
                )}
              </li>
            ))}
          </ul>
        )
      }
    </Asked>
  );
}

/** Where a rollout is, or how it ended. */
export function PhaseOf({
  summary: { phase, outcome },
}: {
  readonly summary: Pick<RolloutSummary, "phase" | "outcome">;
}) {
  const { texts } = useDesk();
  return <Status tone={toneOf(phase, outcome)} word={phaseWord(texts.value, phase, outcome)} />;
}

/** A word that this release does not know yet is shown as it is. */
export function phaseWord(texts: Texts, phase: string, outcome?: string): string {
  const known: Readonly<Record<string, string>> = outcome === undefined ? texts.phases : texts.outcomes;
  const word = outcome ?? phase;
  return known[word] ?? word;
}

function toneOf(phase: string, outcome: string | undefined): Tone {
  if (outcome !== undefined) return endTones[outcome] ?? "none";
  return tones[phase] ?? "busy";
}

const endTones: Readonly<Record<string, Tone>> = {
  promoted: "good",
  halted: "bad",
  failed: "bad",
  refused: "bad",
  inconclusive: "warn",
  nothingToDo: "none",
  superseded: "none",
};
const tones: Readonly<Record<string, Tone>> = {
  awaitingPromotion: "warn",
  inconclusive: "warn",
  held: "warn",
  rollingBack: "bad",
  done: "none",
};
