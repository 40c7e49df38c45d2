import type { Alarm } from "@coalmine/contract/operator-api";
import { useSignal } from "@preact/signals";
import { useDesk } from "../frame/desk.ts";
import { useWatched } from "../frame/watched.ts";
import { AgeOf } from "../shown/age.tsx";
import { Asked, Said } from "../shown/asked.tsx";
import { counted, timeText } from "../shown/figures.ts";
import { Status } from "../shown/status.tsx";
import { AlarmDialog, type Deed, deeds } from "./alarm-dialog.tsx";

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
              : words.unacknowledged(counted(unacknowledged, language.value))}
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
  const deed = useSignal<Deed | undefined>(undefined);
  const { alarms: words, decide, roles } = texts.value;
  const { kind, fleet, sinceMs, seen, sentence, next, link, acknowledged, silenced } = alarm;
  const waits = acknowledged === undefined && silenced === undefined;
  const role = signed.value.kind === "in" ? signed.value.session.role : "viewer";
  const mayAct = role === "operator" || role === "admin";
  return (
    <>
      <p>
        <Status
          tone={waits ? "bad" : "none"}
          word={waits ? words.open : acknowledged === undefined ? words.silent : words.seen}
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
      {silenced !== undefined && (
        <p>{words.silenced(timeText(silenced.untilMs, language.value), silenced.who, silenced.reason)}</p>
      )}
      <p class="buttons">
        <a href={fragmentOf(link)}>{words.evidence}</a>
        {!mayAct && acknowledged === undefined && <small>{decide.needsRole(roles[role])}</small>}
        {mayAct &&
          deeds.map(
            (name) =>
              (name === "silence" || acknowledged === undefined) && (
                <button key={name} type="button" onClick={() => void (deed.value = name)}>
                  {words[name]}
                </button>
              ),
          )}
      </p>
      {deed.value !== undefined && (
        <AlarmDialog
          alarm={alarm}
          deed={deed.value}
          closed={() => {
            deed.value = undefined;
            again();
          }}
        />
      )}
    </>
  );
}

/** The API links to pages by path; here a page is a fragment. */
function fragmentOf(link: string): string {
  const at = link.indexOf("#");
  return at >= 0 ? link.slice(at) : `#${link.startsWith("/") ? "" : "/"}${link}`;
}
