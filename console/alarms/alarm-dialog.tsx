import type { Alarm } from "@coalmine/contract/operator-api";
import { useSignal } from "@preact/signals";
import type { Refusal } from "../door/asking.ts";
import { useDesk } from "../frame/desk.ts";
import { Refused, Said } from "../shown/asked.tsx";
import { Dialog } from "../shown/dialog.tsx";
import { durationText } from "../shown/figures.ts";
import { ReasonFields } from "../shown/reason-fields.tsx";

/** What somebody does about an alarm: they take it on, or it calls for nobody until a time. */
export const deeds = ["acknowledge", "silence"] as const;
export type Deed = (typeof deeds)[number];

const HOUR_MS = 3_600_000;
/** To the end of a call, of a shift, of a day, of a week. */
const silencesMs = [HOUR_MS, 4 * HOUR_MS, 12 * HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS];

/** Asks for a reason, and of a silence how long it is. */
export function AlarmDialog({
  alarm: { alarm, sentence },
  deed,
  closed,
}: {
  readonly alarm: Alarm;
  readonly deed: Deed;
  readonly closed: () => void;
}) {
  const { ask, texts, language } = useDesk();
  const key = useSignal(crypto.randomUUID());
  const reason = useSignal("");
  const forMs = useSignal(HOUR_MS);
  const problem = useSignal<Refusal | "missing" | undefined>(undefined);
  const { alarms: words, decide, back } = texts.value;
  const send = async (): Promise<void> => {
    if (reason.value.trim() === "") return void (problem.value = "missing");
    const body = { reason: reason.value.trim(), key: key.value };
    const answered = await ask(deed, { alarm }, deed === "silence" ? { ...body, forMs: forMs.value } : body);
    if (answered.kind === "answer") closed();
    else problem.value = answered;
  };
  const at = problem.value;
  return (
    <Dialog title={words[deed]} closed={closed}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <p>
          <Said text={sentence} />
        </p>
        <ReasonFields
          presets={words.presets}
          problem={at === "missing" ? decide.missing : undefined}
          chosen={(text) => void (reason.value = text)}
        />
        {deed === "silence" && (
          <label class="field">
            {words.silenceFor}
            <select
              value={String(forMs.value)}
              onChange={({ currentTarget }) => void (forMs.value = Number(currentTarget.value))}
            >
              {silencesMs.map((ms) => (
                <option key={ms} value={ms}>
                  {durationText(ms, language.value)}
                </option>
              ))}
            </select>
          </label>
        )}
        {at !== undefined && at !== "missing" && (
          <p class="note bad" role="alert">
            <Refused refusal={at} />
          </p>
        )}
        <div class="buttons">
          <button type="submit" class="primary">
            {words[deed]}
          </button>
          <button type="button" onClick={closed}>
            {back}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
