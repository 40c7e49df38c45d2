import type { ThingName } from "@coalmine/contract";
import type { LogLine } from "@coalmine/contract/operator-api";
import { linesSince, logPage } from "../../api/devices/logs.ts";
import type { OperatorRegion } from "../../api/operator-region.ts";
import { keepAsking } from "../command/keep-asking.ts";

/** Of one question; the API gives no more at once. */
const PAGE_LINES_MAX = 1000;

export interface Following {
  readonly region: OperatorRegion;
  readonly thing: ThingName;
  /** Of this alone, where not of all. */
  readonly component: string | undefined;
  readonly sinceMs: number;
  readonly lines: number;
  readonly everyMs: number;
  /** On the region's clock. */
  readonly now: () => Promise<number>;
  readonly follow: boolean;
  readonly asking: Parameters<typeof keepAsking>[1];
  readonly line: (line: LogLine) => void;
  /** There is nothing yet. */
  readonly none: () => void;
}

/** Tells the newest of what is there, oldest first, and with `follow` what comes; through lost links each line once. */
export async function followLogs(following: Following): Promise<void> {
  const { region, thing, component, lines, everyMs, now, follow, asking, line, none } = following;
  const there = await newest(following);
  for (const one of lines === 0 ? [] : there.lines.slice(-lines)) line(one);
  if (there.lines.length === 0) none();
  let { place } = there;
  while (follow && !asking.signal.aborted) {
    await asking.clock.sleep(everyMs, asking.signal);
    const came = await keepAsking(
      async () => linesSince({ region, thing, component, nowMs: await now() }, place),
      asking,
    );
    for (const told of came.told) line(told.line);
    ({ place } = came);
  }
}

/** Page by page from the newest back, until there are enough, and the place from which to follow. */
async function newest({ region, thing, component, sinceMs, lines, now, asking }: Following): Promise<{
  readonly lines: readonly LogLine[];
  readonly place: string;
}> {
  const found: LogLine[] = [];
  let place: string | undefined;
  for (;;) {
    const before = found[0]?.cursor;
    const page = await keepAsking(
      async () =>
        logPage({ region, nowMs: await now() }, thing, {
          component,
          since: sinceMs,
          // One at least: whether there is anything is said too.
          limit: Math.min(PAGE_LINES_MAX, Math.max(1, lines - found.length)),
          ...(before === undefined ? {} : { before }),
        }),
      asking,
    );
    place ??= page.cursor;
    found.unshift(...page.lines);
    if (!page.earlier || page.lines.length === 0 || found.length >= lines) return { lines: found, place };
  }
}
