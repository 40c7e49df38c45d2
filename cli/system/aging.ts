import type { Clock } from "@coalmine/ports";
import type { DrivenRegion } from "./driven-region.ts";

const HOUR_MS = 3_600_000;
/** The hosted devices come on within half a minute and install within some more; on their clock. */
export const INSTALL_MS = 15 * 60_000;
/** The pre-period that the policy asks of the driven fleet before a canary is drawn, and some. */
const PRE_PERIOD_MS = 25 * HOUR_MS;
/** Others have their turn between two hours: publishing changes this region too. */
const BETWEEN_MS = 20;

/** A driven fleet that grows old by itself. */
export interface Aging {
  /** Resolves when the devices have had the time to install what was deployed. */
  readonly installed: Promise<void>;
  /** Resolves when the pre-period has passed, or aging was stopped; rejects where the region failed. */
  readonly done: Promise<void>;
  /** Resolves when the hour under way is over; whoever asked for more waits for the region's clock itself. */
  stop(): Promise<void>;
}

/**
 * Lets a driven fleet live through the pre-period of its first rollout, an hour at a time, while other things are done:
 * a release needs it as a past to be compared with.
 */
export function growOld({ control, where }: Pick<DrivenRegion, "control" | "where">, clock: Clock): Aging {
  const stopped = new AbortController();
  const installed = control("run-until", { time: where.now + INSTALL_MS }).then(() => undefined);
  const live = async (): Promise<void> => {
    await installed;
    const until = where.now + PRE_PERIOD_MS;
    for (let time = where.now + HOUR_MS; time <= until && !stopped.signal.aborted; time += HOUR_MS) {
      await control("run-until", { time });
      await clock.sleep(BETWEEN_MS);
    }
  };
  const done = live();
  // Whoever waits for one of them hears of a failure; nobody has to.
  installed.catch(() => undefined);
  done.catch(() => undefined);
  return {
    installed,
    done,
    stop: () => {
      stopped.abort();
      return done;
    },
  };
}
