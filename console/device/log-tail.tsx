import type { LogLine, LogPage } from "@coalmine/contract/operator-api";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Refusal } from "../door/asking.ts";
import type { Line } from "../door/live.ts";
import { useDesk } from "../frame/desk.ts";
import { linkTo } from "../place/place.ts";
import { Refused } from "../shown/asked.tsx";
import { Copy } from "../shown/copy.tsx";
import { clockText, counted, timeText } from "../shown/figures.ts";
import { before, come, emptyTail, found, has, paused, reaching, type Tail } from "./tail.ts";

/** Lines that come within this time are drawn together. */
const GATHERED_MS = 200;

interface LogTailParts {
  readonly thing: string;
  /** A line that somebody sent a link to. */
  readonly line: string | undefined;
  readonly component: string | undefined;
  readonly components: readonly string[];
}

/** The latest lines, then each as it comes. A pause keeps what comes meanwhile. */
export function LogTail({ thing, line, component, components }: LogTailParts) {
  const desk = useDesk();
  const { texts, language, go } = desk;
  const tail = useSignal<Tail>(emptyTail);
  const isEarlier = useSignal(false);
  const isTooFar = useSignal(false);
  const refusal = useSignal<Refusal | undefined>(undefined);
  const state = useSignal<Line>("connecting");
  const text = useSignal("");
  const box = useRef<HTMLDivElement>(null);
  const query = component === undefined ? {} : { component };
  const askBefore = async (before: string): Promise<LogPage | undefined> => {
    const answered = await desk.ask("logs", { thing, ...query, before });
    if (answered.kind === "answer") return answered.value;
    refusal.value = answered;
    return undefined;
  };
  useEffect(() => {
    let stop: () => void = () => undefined;
    let isGone = false;
    let fresh: LogLine[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const begin = async (): Promise<void> => {
      const answered = await desk.ask("logs", { thing, ...query });
      if (isGone) return;
      if (answered.kind === "refusal") return void (refusal.value = answered);
      refusal.value = undefined;
      const page = line === undefined ? answered.value : await reaching(answered.value, line, askBefore);
      if (isGone) return;
      tail.value = { ...emptyTail, isPaused: line !== undefined, lines: page.lines };
      isEarlier.value = page.earlier;
      isTooFar.value = line !== undefined && !has(page.lines, line);
      stop = desk.followLog(
        thing,
        { ...query, after: answered.value.cursor },
        {
          line: (one) => {
            fresh.push(one);
            timer ??= setTimeout(() => {
              timer = undefined;
              tail.value = come(tail.value, fresh);
              fresh = [];
            }, GATHERED_MS);
          },
          state: (now) => void (state.value = now),
        },
      );
    };
    void begin();
    return () => {
      isGone = true;
      clearTimeout(timer);
      stop();
    };
  }, []);
  const { lines, waiting, isPaused, dropped } = tail.value;
  useEffect(() => {
    const own = box.current;
    const linked = own?.querySelector<HTMLElement>("[aria-current]");
    if (linked !== null && linked !== undefined) linked.scrollIntoView({ block: "center" });
    else if (own !== null && !isPaused) own.scrollTop = own.scrollHeight;
  }, [lines]);
  const earlier = async (): Promise<void> => {
    const [first] = lines;
    if (first === undefined) return;
    const page = await askBefore(first.cursor);
    if (page === undefined) return;
    tail.value = before(tail.value, page.lines);
    isEarlier.value = page.earlier;
  };
  const words = texts.value.logs;
  const shown = found(lines, text.value);
  return (
    <section>
      <h2 id="logs">{words.title}</h2>
      <div class="filters">
        <label class="field">
          {words.from}
          <select
            value={component ?? ""}
            onChange={({ currentTarget: { value } }) =>
              go({ page: "device", thing, ...(value === "" ? {} : { component: value }) }, "replaces")
            }
          >
            <option value="">{words.all}</option>
            {[...new Set([...components, ...(component === undefined ? [] : [component])])].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label class="field wide">
          {words.find}
          <input
            type="search"
            data-search
            value={text.value}
            onInput={({ currentTarget }) => void (text.value = currentTarget.value)}
          />
        </label>
        <button
          type="button"
          aria-pressed={isPaused}
          onClick={() => void (tail.value = paused(tail.value, !isPaused))}
        >
          {isPaused ? words.resume : words.pause}
        </button>
      </div>
      {refusal.value !== undefined && (
        <p class="note bad" role="alert">
          <Refused refusal={refusal.value} />
        </p>
      )}
      <p role="status" class="quiet">
        {texts.value.line[state.value === "refused" ? "lost" : state.value]}.{" "}
        {isPaused && <>{words.paused(counted(waiting.length, language.value))} </>}
        {isTooFar.value && <>{words.tooFar} </>}
        {dropped > 0 && words.dropped(counted(dropped, language.value))}
      </p>
      <div ref={box} class="lines" tabIndex={0} role="log" aria-live="off" aria-label={words.list}>
        {isEarlier.value ? (
          <button type="button" onClick={() => void earlier()}>
            {words.earlier}
          </button>
        ) : (
          <p class="quiet">{lines.length === 0 ? words.empty : words.first}</p>
        )}
        <ol class="plain">
          {shown.map((one) => (
            <li key={one.cursor} aria-current={one.cursor === line ? "true" : undefined}>
              <span title={timeText(one.atMs, language.value)}>{clockText(one.atMs, language.value)}</span>
              <b class={one.level?.toLowerCase()}>{one.level ?? ""}</b>
              <span class="quiet">{one.component.replace(/^coalmine\./, "")}</span>
              <span lang="en">{one.message}</span>
              <Copy
                label={words.link}
                text={`${location.origin}${location.pathname}${linkTo({ page: "device", thing, line: one.cursor, ...query })}`}
              />
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}
