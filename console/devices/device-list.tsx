import type { DeviceRow } from "@coalmine/contract/operator-api";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useDesk } from "../frame/desk.ts";
import { AgeOf } from "../shown/age.tsx";
import { To } from "../shown/link.tsx";
import { stateTones, Status } from "../shown/status.tsx";
import { WaitsFor } from "../shown/waits-for.tsx";
import { rowAfter, scrollTo, windowOf } from "../shown/window.ts";

const ROW_PX = 40;
/** Where a screen is narrow a row has two lines. */
const NARROW_ROW_PX = 76;
const NARROW = "(max-width: 48rem)";

/** A table of which only the rows in sight are drawn. One row is in the way of the tab key; arrows move it. */
export function DeviceList({ rows }: { readonly rows: readonly DeviceRow[] }) {
  const { texts } = useDesk();
  const box = useRef<HTMLDivElement>(null);
  const scrolledPx = useSignal(0);
  const heightPx = useSignal(600);
  const isNarrow = useSignal(matchMedia(NARROW).matches);
  const at = useSignal(0);
  const rowPx = isNarrow.value ? NARROW_ROW_PX : ROW_PX;
  useEffect(() => {
    const own = box.current;
    if (own === null) return undefined;
    const sized = new ResizeObserver(() => {
      heightPx.value = own.clientHeight;
      isNarrow.value = matchMedia(NARROW).matches;
    });
    sized.observe(own);
    return () => sized.disconnect();
  }, []);
  const current = Math.min(at.value, rows.length - 1);
  const { first, end } = windowOf(rows.length, rowPx, scrolledPx.value, heightPx.value);
  const moved = (event: KeyboardEvent): void => {
    const own = box.current;
    const to = rowAfter(event.key, current, rows.length, Math.floor(heightPx.value / rowPx));
    if (to === undefined || own === null) return;
    event.preventDefault();
    at.value = to;
    const px = scrollTo(to, rowPx, own.scrollTop, own.clientHeight - rowPx);
    if (px !== undefined) own.scrollTop = px;
    scrolledPx.value = own.scrollTop;
    // Once it is drawn.
    requestAnimationFrame(() => own.querySelector<HTMLElement>(`[data-row="${to}"]`)?.focus());
  };
  const { device, state, site, heard, cohort, devices } = texts.value;
  return (
    <div
      ref={box}
      class="device-list"
      role="table"
      aria-label={devices.list}
      aria-rowcount={rows.length + 1}
      onScroll={({ currentTarget }) => void (scrolledPx.value = currentTarget.scrollTop)}
      onKeyDown={moved}
    >
      <div role="rowgroup" class="head">
        <div role="row" aria-rowindex={1} class="row">
          {[device, state, cohort, site, heard].map((word) => (
            <span key={word} role="columnheader">
              {word}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup" class="rows" style={{ height: `${rows.length * rowPx}px` }}>
        {/* The current row stays in the way of the tab key, also while it is out of sight. */}
        {drawn(first, end, current).map((index) => {
          const row = rows[index];
          return (
            row !== undefined && (
              <Row
                // By its place, not its device: what a filter leaves is written into the rows that are drawn already.
                key={index}
                row={row}
                index={index}
                topPx={index * rowPx}
                isCurrent={index === current}
              />
            )
          );
        })}
      </div>
    </div>
  );
}

function drawn(first: number, end: number, current: number): number[] {
  const inSight = Array.from({ length: end - first }, (_, index) => first + index);
  if (current >= first && current < end) return inSight;
  return current < first ? [current, ...inSight] : [...inSight, current];
}

function Row({
  row: { thing, fleet, cohort, state, because, waits, seen, site },
  index,
  topPx,
  isCurrent,
}: {
  readonly row: DeviceRow;
  readonly index: number;
  readonly topPx: number;
  readonly isCurrent: boolean;
}) {
  const { texts } = useDesk();
  return (
    <div role="row" class="row" aria-rowindex={index + 2} style={{ top: `${topPx}px` }}>
      <span role="cell">
        <To place={{ page: "device", thing }} data-row={index} tabIndex={isCurrent ? 0 : -1}>
          {thing}
        </To>
      </span>
      <span role="cell">
        <Status tone={stateTones[state]} word={texts.value.states[state]} />
        {because !== undefined && <small lang="en"> {because}</small>}
        {waits !== undefined && (
          <small>
            {" "}
            <WaitsFor waits={waits} />
          </small>
        )}
      </span>
      <span role="cell">
        {texts.value.cohorts[cohort]} <small>{fleet}</small>
      </span>
      <span role="cell">{site ?? texts.value.none}</span>
      <span role="cell">
        <AgeOf fleet={fleet} seen={seen} />
      </span>
    </div>
  );
}
