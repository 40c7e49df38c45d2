import type { Clock } from "@coalmine/ports";
import type { AnswerBook } from "../flow/answers.ts";
import { CommissioningRefused } from "../refusal.ts";
import type { Device } from "../steps/device.ts";

/** Between tries: a link that comes back is used within a minute. */
const TRY_EVERY_MS = 60_000;

export interface CompletionParts {
  readonly device: Device;
  readonly book: AnswerBook;
  readonly clock: Pick<Clock, "sleep">;
  /** What only a person can mend; the step of identity is open again then. */
  readonly told: (sentence: string) => void;
}

/**
 * What a technician left to the device: once the network leads to the cloud it trades the code that it keeps for its
 * identity, makes the report anew, and sends it. Resolves when all of it is done.
 */
export async function completeAlone(
  { device, book, clock, told }: CompletionParts,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    if (await isComplete(device, book, told)) return;
    await clock.sleep(TRY_EVERY_MS, signal).catch(() => undefined);
  }
}

/** One try: false where there is still no way to the cloud, or the technician is not done. */
async function isComplete(device: Device, book: AnswerBook, told: CompletionParts["told"]): Promise<boolean> {
  const { place, seen, leftOut, language } = book.answers;
  if (place === undefined || seen.report === undefined) return false;
  const commissioning = await device.commissioning();
  try {
    if (leftOut.identity !== undefined && commissioning.journal.entries.proven === undefined)
      await commissioning.identify();
    if (commissioning.journal.entries.proven === undefined) return false;
    await commissioning.configure();
    const papers = (await commissioning.papers()) ?? (await device.papers(language ?? "en"));
    await book.write({ sha256: papers.sha256 });
    await commissioning.send(papers);
    return true;
  } catch (failure) {
    if (!(failure instanceof CommissioningRefused)) throw failure;
    if (failure.reason !== "unreachable") {
      told(failure.sentence);
      await book.reopen("identity");
    }
    return false;
  }
}
