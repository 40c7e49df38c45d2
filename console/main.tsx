import { computed, effect, signal } from "@preact/signals";
import { calls, events, files, logLine, quietMsMax } from "coalmine:contract";
import { render } from "preact";
import { asking } from "./door/asking.ts";
import { keptAnswers } from "./door/kept-answers.ts";
import { follow, type Line } from "./door/live.ts";
import { renewing } from "./door/renewing.ts";
import { readChoices } from "./frame/choices.ts";
import { type Desk, DeskContext, type Heard, type Signed } from "./frame/desk.ts";
import { Frame } from "./frame/frame.tsx";
import { readHeard, readLogLine } from "./frame/heard.ts";
import { linkTo, placeOf } from "./place/place.ts";
import { FleetClocks } from "./shown/clocks.ts";
import { BACK } from "./sign-in/sign-in-page.tsx";
import { tokenIn } from "./sign-in/token.ts";
import { loadTexts } from "./texts/languages.ts";

const monotonicMs = (): number => performance.now();
const fetching = renewing({
  fetch: (path, init) => fetch(path, init),
  path: calls.renew.path,
  alone: (renew) => navigator.locks.request("renewal", renew),
});
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

const signed = signal<Signed>({ kind: "asking" });
const ask = asking({
  calls,
  fetch: fetching,
  kept: keptAnswers(sessionStorage, () => performance.timeOrigin + performance.now()),
  // Where no stream comes through, answers are what is heard.
  answered: () => void (heardMs.value = monotonicMs()),
  signedOut: () => {
    if (signed.value.kind !== "out") signed.value = { kind: "out", ended: signed.value.kind === "in" };
  },
});

const choices = readChoices(localStorage, navigator.languages);
const language = signal(choices.language.value);
const texts = signal(await loadTexts[language.value]());
choices.language.subscribe((chosen) => {
  if (chosen === language.value) return;
  const load = async (): Promise<void> => {
    const loaded = await loadTexts[chosen]();
    [texts.value, language.value] = [loaded, chosen];
  };
  load().catch(() => (choices.language.value = language.value));
});
effect(() => void (document.documentElement.lang = language.value));
effect(() => void (document.documentElement.dataset["theme"] = choices.theme.value));

const place = signal(placeOf(location.hash));
addEventListener("hashchange", () => void (place.value = placeOf(location.hash)));

const clocks = new FleetClocks(monotonicMs);
const tick = signal(0);
const line = signal<Line>("connecting");
const heardMs = signal(monotonicMs());
setInterval(() => tick.value++, 1000);
const quietMs = computed(() => {
  void tick.value;
  const ms = monotonicMs() - heardMs.value;
  return ms > quietMsMax ? ms : undefined;
});
const listeners = new Set<(heard: Heard) => void>();

const desk: Desk = {
  ask,
  place,
  go(to, how) {
    const link = linkTo(to);
    if (how === "replaces") {
      history.replaceState(null, "", link);
      place.value = to;
    } else location.hash = link;
  },
  signed,
  line,
  quietMs,
  clocks,
  tick,
  listen(listener) {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
  followLog(thing, query, parts) {
    const stop = new AbortController();
    const path = `${files.logEvents.replace(":thing", encodeURIComponent(thing))}?${new URLSearchParams(query).toString()}`;
    const heard = (event: { readonly event: string; readonly data: string }): void => {
      const line = readLogLine(event, logLine);
      if (line !== undefined) parts.line(line);
    };
    void follow(path, { fetch: fetching, sleep, heard, line: parts.state }, stop.signal);
    return () => stop.abort();
  },
  choices,
  language,
  texts,
  files,
};

function hear(heard: Heard): void {
  if (heard.event === "beat") {
    for (const [fleet, nowMs] of Object.entries(heard.nowMs)) clocks.tell(fleet, nowMs);
    tick.value++;
  }
  for (const listener of listeners) listener(heard);
}

// The stream is followed while somebody is signed in.
let stop = new AbortController();
effect(() => {
  stop.abort();
  if (signed.value.kind !== "in") return;
  stop = new AbortController();
  heardMs.value = monotonicMs();
  const parts = {
    fetch: fetching,
    sleep,
    heard: (event: { readonly event: string; readonly data: string }) => {
      heardMs.value = monotonicMs();
      const heard = readHeard(event, events);
      if (heard !== undefined) hear(heard);
    },
    line: (now: Line) => {
      line.value = now;
      // Nobody is let in any more: who asks is told so.
      if (now === "refused") void ask("me");
    },
  };
  void follow(files.events, parts, stop.signal);
});

async function begin(): Promise<void> {
  const token = tokenIn(location);
  if (token !== undefined) {
    // It is of use once: it stays in no history.
    history.replaceState(null, "", location.pathname);
    place.value = placeOf("");
    const entered = await ask("enter", {}, { token });
    if (entered.kind === "answer") return void (signed.value = { kind: "in", session: entered.value });
  }
  const back = sessionStorage.getItem(BACK);
  sessionStorage.removeItem(BACK);
  if (back !== null && location.hash === "") location.hash = back;
  const me = await ask("me");
  if (me.kind === "answer") signed.value = { kind: "in", session: me.value };
  else if (me.last !== undefined) {
    // Whoever was in sees what was there; the stream finds out whether they still are.
    signed.value = { kind: "in", session: me.last.value };
    heardMs.value = monotonicMs() - me.last.ageMs;
  } else if (me.code === "unreachable") setTimeout(() => void begin(), 2000);
  else signed.value = { kind: "out", ended: false };
}

const root = document.getElementById("app");
if (root === null) throw new Error("the page has no place for its app");
render(
  <DeskContext.Provider value={desk}>
    <Frame />
  </DeskContext.Provider>,
  root,
);
void begin();
// Where a browser keeps no worker, the console only needs its server each time.
void navigator.serviceWorker?.register("/keeper.js").catch(() => undefined);
