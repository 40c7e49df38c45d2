import type { Age } from "@coalmine/contract/operator-api";
import { useDesk } from "../frame/desk.ts";
import { durationText, timeText } from "./figures.ts";

/** How old a value is by now, and whether that is too old to decide on. */
export function AgeOf({ fleet, seen }: { readonly fleet: string; readonly seen: Age | undefined }) {
  const { clocks, tick, language, texts } = useDesk();
  if (seen === undefined) return <span class="quiet">{texts.value.never}</span>;
  // Drawn anew with each tick.
  void tick.value;
  return (
    <span class="age" title={timeText(seen.atMs, language.value)}>
      {texts.value.ago(durationText(clocks.ageMs(fleet, seen), language.value))}
      {seen.stale && <strong> ({texts.value.stale})</strong>}
    </span>
  );
}
