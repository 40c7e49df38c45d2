import type { Decision, RolloutPage as Rollout } from "@coalmine/contract/operator-api";
import { useSignal } from "@preact/signals";
import { useDesk } from "../frame/desk.ts";
import { useKeys } from "../frame/keys.ts";
import { useWatched } from "../frame/watched.ts";
import { type RolloutPlace, wholeAudit } from "../place/place.ts";
import { PhaseOf } from "../rollouts/rollouts-page.tsx";
import { AgeOf } from "../shown/age.tsx";
import { Asked, Said } from "../shown/asked.tsx";
import { Facts } from "../shown/facts.tsx";
import { timeText } from "../shown/figures.ts";
import { To } from "../shown/link.tsx";
import { Status, type Tone } from "../shown/status.tsx";
import { DecideDialog } from "./decide-dialog.tsx";
import { Metrics } from "./metrics.tsx";
import { decisionKeys, refusalOf } from "./refusal.ts";
import { StageBar } from "./stage-bar.tsx";

/** One screen for one question: is the canary well, and what now? */
export function RolloutPage({ at }: { readonly at: RolloutPlace }) {
  const { rollout } = at;
  const { watched, again } = useWatched(
    rollout,
    ({ ask }) => ask("rollout", { rollout }),
    (heard) => heard.event === "entry" && heard.rollout === rollout,
    ({ targets }, { clocks }) => targets.forEach(({ target, nowMs }) => clocks.tell(target, nowMs)),
  );
  return (
    <Asked watched={watched.value} again={again}>
      {(shown) => (
        <>
          <Head shown={shown} isOld={watched.value.refusal !== undefined} again={again} />
          <StageBar stages={shown.stages} />
          <Metrics at={{ ...at, rollout: shown.rollout }} />
          <Why shown={shown} />
        </>
      )}
    </Asked>
  );
}

function Head({
  shown,
  isOld,
  again,
}: {
  readonly shown: Rollout;
  /** It could not be asked for anew: it may have moved on. */
  readonly isOld: boolean;
  readonly again: () => void;
}) {
  const { texts, signed, quietMs } = useDesk();
  const deciding = useSignal<Decision | undefined>(undefined);
  const done = useSignal<number | undefined>(undefined);
  const { decide, decisions, rollout: words } = texts.value;
  const role = signed.value.kind === "in" ? signed.value.session.role : "viewer";
  const isCut = isOld || quietMs.value !== undefined;
  const offered = shown.choices.map((choice) => ({
    choice,
    refusal: refusalOf(choice, { role, isCut, seen: shown.seen }, texts.value),
  }));
  const open = (decision: Decision): void => {
    if (offered.some(({ choice, refusal }) => choice.decision === decision && refusal === undefined))
      deciding.value = decision;
  };
  useKeys(Object.fromEntries(decisionKeys.map(([decision, key]) => [key, () => open(decision)])));
  const chosen = offered.find(({ choice }) => choice.decision === deciding.value);
  return (
    <section class="headline">
      <p>
        <PhaseOf summary={shown} />
      </p>
      <p class="sentence">
        <Said text={shown.headline} />
      </p>
      <ul class="plain">
        {shown.targets.map(({ target, verdict }) => (
          <li key={target}>
            <strong>{target}</strong>{" "}
            {verdict !== undefined && (
              <Status tone={verdictTones[verdict.verdict]} word={texts.value.verdicts[verdict.verdict]} />
            )}{" "}
            <span class="quiet">
              {words.newest}: <AgeOf fleet={target} seen={shown.seen[target]} />
            </span>
          </li>
        ))}
      </ul>
      {shown.phase !== "done" && (
        <div class="buttons">
          {offered.map(({ choice: { decision }, refusal }) => (
            <div key={decision}>
              <button
                type="button"
                class={decision === "promote" ? "primary" : decision === "rollback" ? "danger" : ""}
                aria-disabled={refusal !== undefined}
                aria-describedby={refusal === undefined ? undefined : `no-${decision}`}
                aria-keyshortcuts={decisionKeys.find(([name]) => name === decision)?.[1]}
                onClick={() => open(decision)}
              >
                {decisions[decision]} <Key of={decision} />
              </button>
              {refusal !== undefined && (
                <small id={`no-${decision}`} lang={refusal.lang}>
                  {refusal.sentence}
                </small>
              )}
            </div>
          ))}
        </div>
      )}
      {done.value !== undefined && (
        <p class="note good" role="status">
          {decide.done(String(done.value))}
        </p>
      )}
      {chosen !== undefined && (
        <DecideDialog
          key={chosen.choice.decision}
          shown={shown}
          choice={chosen.choice}
          refusal={chosen.refusal}
          closed={(sequence) => {
            deciding.value = undefined;
            if (sequence !== undefined) done.value = sequence;
            again();
          }}
        />
      )}
    </section>
  );
}

const verdictTones: Readonly<Record<"PROMOTE" | "HALT" | "WAIT" | "INCONCLUSIVE", Tone>> = {
  PROMOTE: "good",
  HALT: "bad",
  WAIT: "busy",
  INCONCLUSIVE: "warn",
};

function Key({ of }: { readonly of: Decision }) {
  const { keys } = useDesk().choices;
  const key = decisionKeys.find(([decision]) => decision === of)?.[1];
  return keys.value ? <kbd aria-hidden="true">{key}</kbd> : null;
}

function Why({ shown }: { readonly shown: Rollout }) {
  const { texts, language } = useDesk();
  const { rollout: words, rollouts } = texts.value;
  return (
    <section>
      <h2>{words.why}</h2>
      <ul lang="en">
        {shown.why.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      <Facts
        rows={[
          [rollouts.commit, <code>{shown.commit}</code>],
          [rollouts.started, timeText(shown.startedMs, language.value)],
          [words.promotedBy, shown.promotedBy],
          [
            words.overrides,
            shown.overrides.length > 0 &&
              shown.overrides.map(({ stage, who, why }) => (
                <span key={stage} class="one">
                  {stage}: {who}, {why}
                </span>
              )),
          ],
          [
            texts.value.pages.audit,
            <To place={{ page: "audit", asked: { ...wholeAudit, rollout: shown.rollout } }}>
              {words.audit}
            </To>,
          ],
        ]}
      />
    </section>
  );
}
