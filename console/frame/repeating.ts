/** Asked anew although nothing was heard: what no event tells. */
const LIVE_MS = 30_000;
/** All there is where no stream comes through, as behind a proxy that keeps it back. */
const LOST_MS = 10_000;

interface RepeatingParts<Answer> {
  readonly ask: () => Promise<Answer>;
  readonly answered: (answer: Answer) => void;
  /** Whether the stream says what happens. */
  readonly isLive: () => boolean;
  /** At least so long between something that was heard and asking for it: a wave makes hundreds of events a second. */
  readonly restMs: number;
}

interface Repeating {
  readonly again: () => void;
  readonly heard: () => void;
  readonly stop: () => void;
}

/** Asks at once, whenever something was heard, and now and then; one question at a time, and after `stop` none. */
export function repeating<Answer>({ ask, answered, isLive, restMs }: RepeatingParts<Answer>): Repeating {
  let [isOver, isAsking, isWanted] = [false, false, false];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let rest: ReturnType<typeof setTimeout> | undefined;
  const now = async (): Promise<void> => {
    if (isAsking) return void (isWanted = true);
    [isAsking, isWanted] = [true, false];
    clearTimeout(timer);
    const answer = await ask();
    isAsking = false;
    if (isOver) return;
    answered(answer);
    timer = setTimeout(() => void now(), isWanted ? restMs : isLive() ? LIVE_MS : LOST_MS);
  };
  void now();
  return {
    again: () => void now(),
    heard() {
      rest ??= setTimeout(() => {
        rest = undefined;
        void now();
      }, restMs);
    },
    stop() {
      isOver = true;
      clearTimeout(timer);
      clearTimeout(rest);
    },
  };
}
