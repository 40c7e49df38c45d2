import type { DeviceRow, Versions } from "@coalmine/contract/operator-api";
import { batch, useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Answered } from "../door/asking.ts";
import { type Desk, useDesk } from "../frame/desk.ts";
import { useWatched } from "../frame/watched.ts";
import { type DeviceFilter, everyDevice } from "../place/place.ts";
import { Asked } from "../shown/asked.tsx";
import { counted, countText } from "../shown/figures.ts";
import { statesWorstFirst } from "../shown/status.tsx";
import { DeviceList } from "./device-list.tsx";
import { fitting } from "./filtering.ts";
import { SavedFilters } from "./saved-list.tsx";

const ROWS_A_PAGE = 2000;
/** A browser filters this many within a blink; whoever has more looks at them by fleet on the command line. */
const ROWS_MAX = 20_000;
/** What the stream tells of devices is drawn together: a wave tells of hundreds in a second. */
const GATHERED_MS = 250;

interface ToldRow {
  readonly row: DeviceRow;
  readonly heardMs: number;
}

interface Everything {
  readonly rows: readonly DeviceRow[];
  readonly sets: Readonly<Record<string, Versions>>;
  readonly total: number;
  readonly askedMs: number;
}

/** All devices, filtered here: what is typed does not wait for a network. */
export function DevicesPage({ filter }: { readonly filter: DeviceFilter }) {
  const desk = useDesk();
  const { texts, language, go } = desk;
  const told = useToldSince();
  const { watched, again } = useWatched(
    "devices",
    everything,
    ({ event }) => event === "reload",
    ({ askedMs }) => told.forget(askedMs),
  );
  const rows = useComputed(() => {
    const { rows = [] } = watched.value.value ?? {};
    return rows.map((row) => told.rows.value.get(`${row.fleet} ${row.thing}`)?.row ?? row);
  });
  const sets = { ...watched.value.value?.sets, ...told.sets.value };
  const shown = fitting(rows.value, sets, filter);
  const { devices, states, cohorts, fleet, cohort, state } = texts.value;
  const change = (part: Partial<DeviceFilter>): void =>
    go({ page: "devices", filter: { ...filter, ...part } }, "replaces");
  const fleets = [...new Set(rows.value.map((row) => row.fleet))];
  const choose = (
    label: string,
    name: keyof DeviceFilter,
    options: readonly (readonly [string, string])[],
  ) => (
    <label class="field">
      {label}
      <select value={filter[name]} onChange={({ currentTarget }) => change({ [name]: currentTarget.value })}>
        <option value="">{devices.every}</option>
        {options.map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label class="field wide">
          {devices.search}
          <input
            type="search"
            data-search
            value={filter.text}
            onInput={({ currentTarget }) => change({ text: currentTarget.value })}
          />
        </label>
        {choose(
          fleet,
          "fleet",
          fleets.map((name) => [name, name]),
        )}
        {choose(cohort, "cohort", Object.entries(cohorts))}
        {choose(
          state,
          "state",
          statesWorstFirst.map((name) => [name, states[name]]),
        )}
        <label class="field wide">
          {devices.runs}
          <input
            type="text"
            list="runs"
            value={filter.runs}
            onInput={({ currentTarget }) => change({ runs: currentTarget.value })}
          />
          <datalist id="runs">
            {installedIn(sets).map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </label>
        <button type="button" onClick={() => go({ page: "devices", filter: everyDevice })}>
          {devices.clear}
        </button>
      </form>
      <SavedFilters filter={filter} />
      <Asked watched={watched.value} again={again}>
        {({ total }) => (
          <>
            <p role="status">
              {devices.shown(countText(shown.length, language.value), counted(total, language.value))}
              {total > ROWS_MAX && <> {devices.bound(countText(ROWS_MAX, language.value))}</>}
            </p>
            {shown.length === 0 ? <p>{devices.empty}</p> : <DeviceList rows={shown} />}
          </>
        )}
      </Asked>
    </>
  );
}

async function everything({ ask }: Desk): Promise<Answered<Everything>> {
  const askedMs = performance.now();
  const rows: DeviceRow[] = [];
  const sets: Record<string, Versions> = {};
  let after: string | undefined;
  do {
    const answered = await ask("devices", {
      limit: String(ROWS_A_PAGE),
      ...(after === undefined ? {} : { after }),
    });
    if (answered.kind === "refusal") {
      const { last, ...refusal } = answered;
      if (last === undefined) return refusal;
      const { devices, sets: known, total } = last.value;
      return {
        ...refusal,
        last: {
          value: { rows: [...rows, ...devices], sets: { ...sets, ...known }, total, askedMs },
          ageMs: last.ageMs,
        },
      };
    }
    rows.push(...answered.value.devices);
    Object.assign(sets, answered.value.sets);
    after = answered.value.next;
    if (after === undefined || rows.length >= ROWS_MAX)
      return { kind: "answer", value: { rows, sets, total: answered.value.total, askedMs } };
  } while (after !== undefined);
  throw new Error("a list of devices ends with its last page");
}

/** The rows that the stream told, each newer than the list until that is asked for again. */
function useToldSince() {
  const { listen } = useDesk();
  const rows = useSignal<ReadonlyMap<string, ToldRow>>(new Map());
  const sets = useSignal<Everything["sets"]>({});
  useEffect(() => {
    let fresh = new Map<string, ToldRow>();
    let freshSets: Record<string, Versions> = {};
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = listen((heard) => {
      if (heard.event !== "device") return;
      const { row, versions } = heard;
      fresh.set(`${row.fleet} ${row.thing}`, { row, heardMs: performance.now() });
      if (row.set !== undefined && versions !== undefined) freshSets[row.set] = versions;
      timer ??= setTimeout(() => {
        timer = undefined;
        batch(() => {
          rows.value = new Map([...rows.value, ...fresh]);
          sets.value = { ...sets.value, ...freshSets };
        });
        [fresh, freshSets] = [new Map(), {}];
      }, GATHERED_MS);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, []);
  /** A list that was asked for later has what was heard before. */
  const forget = (askedMs: number): void => {
    rows.value = new Map([...rows.value].filter(([, { heardMs }]) => heardMs >= askedMs));
  };
  return { rows, sets, forget };
}

function installedIn(sets: Everything["sets"]): string[] {
  const names = Object.values(sets).flatMap((versions) =>
    Object.entries(versions).map(([component, version]) => `${component}@${version}`),
  );
  return [...new Set(names)].sort();
}
