import type { Choice, RolloutPage } from "@coalmine/contract/operator-api";
import { useSignal } from "@preact/signals";
import type { Refusal } from "../door/asking.ts";
import { useDesk } from "../frame/desk.ts";
import { Dialog } from "../shown/dialog.tsx";
import { ReasonFields } from "../shown/reason-fields.tsx";
import { Refused, Said } from "../shown/asked.tsx";
import { counted, countText } from "../shown/figures.ts";

interface DecideParts {
  readonly shown: RolloutPage;
  readonly choice: Choice;
  /** The page may become too old while somebody thinks. */
  readonly refusal: { readonly sentence: string; readonly lang?: "en" } | undefined;
  /** With the decision's entry in the audit log, where one was made. */
  readonly closed: (sequence?: number) => void;
}

/** What would change, on how many devices, and why it should. */
export function DecideDialog({ shown, choice, refusal: now, closed }: DecideParts) {
  const { ask, texts } = useDesk();
  // What is decided on is what was shown when the dialog opened; sent again, it is the same decision.
  const decided = useSignal({ state: shown.state, key: crypto.randomUUID() });
  const reason = useSignal("");
  const isSending = useSignal(false);
  const problem = useSignal<Refusal | "missing" | undefined>(undefined);
  const { decide, decisions } = texts.value;
  const name = decisions[choice.decision];
  const send = async (): Promise<void> => {
    if (reason.value.trim() === "") return void (problem.value = "missing");
    if (isSending.value || now !== undefined) return;
    isSending.value = true;
    const answered = await ask(
      "decide",
      { rollout: shown.rollout, decision: choice.decision },
      { reason: reason.value.trim(), ...decided.value },
    );
    isSending.value = false;
    if (answered.kind === "answer") closed(answered.value.sequence);
    else problem.value = answered;
  };
  const at = problem.value;
  return (
    <Dialog title={decide.title(name)} closed={() => closed()}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <Reach choice={choice} />
        <ReasonFields
          presets={decide.presets[choice.decision]}
          problem={at === "missing" ? decide.missing : undefined}
          chosen={(text) => {
            reason.value = text;
            if (at === "missing") problem.value = undefined;
          }}
        />
        {now !== undefined && (
          <p class="note warn" role="alert" lang={now.lang}>
            {now.sentence}
          </p>
        )}
        {at !== undefined && at !== "missing" && (
          <div class="note bad" role="alert">
            <Refused refusal={at} />
            {at.code === "unreachable" && <p>{decide.unsure}</p>}
            {at.status === 409 && (
              <p>
                <button type="button" onClick={() => closed()}>
                  {decide.moved}
                </button>
              </p>
            )}
          </div>
        )}
        <div class="buttons">
          <button
            type="submit"
            class={choice.decision === "rollback" ? "danger" : "primary"}
            aria-disabled={isSending.value || now !== undefined}
          >
            {isSending.value ? decide.sending : name}
          </button>
          <button type="button" onClick={() => closed()}>
            {texts.value.back}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Reach({ choice: { reach, targets, afterwards } }: { readonly choice: Choice }) {
  const { texts, language } = useDesk();
  const { decide } = texts.value;
  return (
    <>
      <p>
        <strong>{reach === 0 ? decide.noChange : decide.reach(counted(reach, language.value))}</strong>{" "}
        <Said text={afterwards} />
      </p>
      {targets.map(({ target, reach: here, of, diff }) => (
        <section key={target} class="diff">
          <h3>
            {target}: {decide.reachOf(countText(here, language.value), counted(of, language.value))}
          </h3>
          <ul class="plain">
            {diff.changed.map(({ name, from, to }) => (
              <li key={name}>
                <span aria-hidden="true">~ </span>
                {decide.changed}: {name} {from} → <strong>{to}</strong>
              </li>
            ))}
            {diff.added.map(({ name, to }) => (
              <li key={name}>
                <span aria-hidden="true">+ </span>
                {decide.added}: {name} <strong>{to}</strong>
              </li>
            ))}
            {diff.removed.map((name) => (
              <li key={name} class="bad">
                <span aria-hidden="true">− </span>
                {decide.removed}: {name}
              </li>
            ))}
            {diff.reconfigured.map((name) => (
              <li key={name}>
                <span aria-hidden="true">~ </span>
                {decide.reconfigured}: {name}
              </li>
            ))}
          </ul>
          {diff.unchanged.length > 0 && (
            <p class="quiet" title={diff.unchanged.join(", ")}>
              {decide.unchanged(counted(diff.unchanged.length, language.value))}
            </p>
          )}
        </section>
      ))}
    </>
  );
}
