import type { Alarm } from "@coalmine/contract/operator-api";
import { useSignal } from "@preact/signals";
import type { Refusal } from "../door/asking.ts";
import { useDesk } from "../frame/desk.ts";
import { useWatched } from "../frame/watched.ts";
import { AgeOf } from "../shown/age.tsx";
import { Asked, Refused, Said } from "../shown/asked.tsx";
import { Dialog } from "../shown/dialog.tsx";
import { countText, timeText } from "../shown/figures.ts";
import { ReasonFields } from "../shown/reason-fields.tsx";
import { Status } from "../shown/status.tsx";

/** What waits for somebody, and what somebody has seen. */
export function AlarmsPage() {
  const { texts, language } = useDesk();
  const { watched, again } = useWatched(
    "alarms",
    ({ ask }) => ask("alarms"),
    ({ event }) => event === "entry" || event === "reload",
  );
  const { alarms: words } = texts.value;
  return (
    <Asked watched={watched.value} again={again}>
      {({ alarms, unacknowledged }) => (
        <>
          <p role="status">
            {alarms.length === 0
              ? words.empty
              : words.unacknowledged(countText(unacknowledged, language.value))}
          </p>
          <ul class="plain cards">
            {alarms.map((alarm) => (
              <li key={alarm.alarm} class="card">
                <One alarm={alarm} again={again} />
              </li>
            ))}
          </ul>
        </>
      )}
    </Asked>
  );
}

function One({ alarm, again }: { readonly alarm: Alarm; readonly again: () => void }) {
  const { texts, language, signed } = useDesk();
  const isOpen = useSignal(false);
  const { alarms: words, decide, roles } = texts.value;
  const { kind, fleet, sinceMs, seen, sentence, next, link, acknowledged } = alarm;
  const role = signed.value.kind === "in" ? signed.value.session.role : "viewer";
  const mayAct = role === "operator" || role === "admin";
  return (
    <>
      <p>
        <Status
          tone={acknowledged === undefined ? "bad" : "none"}
          word={acknowledged === undefined ? words.open : words.seen}
        />{" "}
        <strong>{words.kinds[kind]}</strong> {fleet}
      </p>
      <p>
        <Said text={sentence} />
      </p>
      <p>
        <Said text={next} />
      </p>
      <p class="quiet">
        {timeText(sinceMs, language.value)} · {texts.value.heard} <AgeOf fleet={fleet ?? ""} seen={seen} />
      </p>
      {acknowledged !== undefined && (
        <p>
          {words.acknowledged(acknowledged.who, acknowledged.reason)}{" "}
          <span class="quiet">{timeText(acknowledged.atMs, language.value)}</span>
        </p>
      )}
      <p class="buttons">
        <a href={fragmentOf(link)}>{words.evidence}</a>
        {acknowledged === undefined &&
          (mayAct ? (
            <button type="button" onClick={() => void (isOpen.value = true)}>
              {words.acknowledge}
            </button>
          ) : (
            <small>{decide.needsRole(roles[role])}</small>
          ))}
      </p>
      {isOpen.value && (
        <Acknowledge
          alarm={alarm}
          closed={() => {
            isOpen.value = false;
            again();
          }}
        />
      )}
    </>
  );
}

function Acknowledge({
  alarm: { alarm, sentence },
  closed,
}: {
  readonly alarm: Alarm;
  readonly closed: () => void;
}) {
  const { ask, texts } = useDesk();
  const key = useSignal(crypto.randomUUID());
  const reason = useSignal("");
  const problem = useSignal<Refusal | "missing" | undefined>(undefined);
  const { alarms: words, decide, back } = texts.value;
  const send = async (): Promise<void> => {
    if (reason.value.trim() === "") return void (problem.value = "missing");
    const answered = await ask("acknowledge", { alarm }, { reason: reason.value.trim(), key: key.value });
    if (answered.kind === "answer") closed();
    else problem.value = answered;
  };
  const at = problem.value;
  return (
    <Dialog title={words.acknowledge} closed={closed}>
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
        {at !== undefined && at !== "missing" && (
          <p class="note bad" role="alert">
            <Refused refusal={at} />
          </p>
        )}
        <div class="buttons">
          <button type="submit" class="primary">
            {words.acknowledge}
          </button>
          <button type="button" onClick={closed}>
            {back}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** The API links to pages by path; here a page is a fragment. */
function fragmentOf(link: string): string {
  const at = link.indexOf("#");
  return at >= 0 ? link.slice(at) : `#${link.startsWith("/") ? "" : "/"}${link}`;
}
