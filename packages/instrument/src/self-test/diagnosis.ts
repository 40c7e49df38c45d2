import type { NotFoundCause } from "@coalmine/contract";
import type { Clock, Links } from "@coalmine/ports";
import { type Dialect, knownDialects } from "./dialect.ts";
import { HeardPort, isLinkError, type SerialTarget } from "./heard-port.ts";
import { isMirroredText, MIRROR_RATIO, mirrored } from "./mirrored.ts";

/** The rates that instruments are set to, likeliest first. */
export const USUAL_RATES = [
  9600, 115_200, 19_200, 38_400, 57_600, 4800, 2400, 1200, 230_400, 460_800, 921_600,
] as const;
const PARITIES = ["none", "even", "odd"] as const;
/** Beside the time that question and answer take on the line. */
const ANSWER_MS = 250;
const ANSWER_BYTES_MAX = 128;
/** Start, eight bits, parity, stop. */
const BITS_MAX = 11;
/** Questions asked upside down, and as many that nobody may answer: 5 against 5 happen so by chance once in 252. */
const MIRRORED_ROUNDS = 5;
/** For something else that speaks by itself: every two seconds or more often. */
const LISTEN_MS = 2500;
/** Where an instrument is meant to speak by itself: at most so long at one rate. */
const LISTEN_MS_MAX = 10_000;

export interface Tried {
  readonly links: Links;
  readonly clock: Clock;
  /** As it is configured. */
  readonly target: SerialTarget;
  readonly dialect: Dialect;
  /** How long it takes to answer, beside the time on the line. */
  readonly answerMs?: number;
  /** How long one that speaks by itself is listened to, at the settings it is configured with. */
  readonly listenMs?: number;
  /** What ends its lines. */
  readonly delimiter?: string;
}

/**
 * Why a port that was asked in vain brings nothing usable; undefined where it does answer at its settings. First what
 * answers by other settings: another protocol at the same rate, the same at another parity or rate; each must answer with
 * its checksum, so a guess is not taken for a finding. Then the same question upside down. One fault at a time: of two at
 * once nothing answers, and it is "silent" or "garbled". Throws the `LinkError` of a port that does not open at its
 * settings, and `PortGone`.
 */
export async function diagnose(tried: Tried): Promise<NotFoundCause | undefined> {
  const { dialect, target } = tried;
  const all = [dialect, ...knownDialects.filter(({ name }) => name !== dialect.name)];
  const speaks = dialect.question === undefined;
  const here = await tryAt(tried, target, all, tried.listenMs ?? LISTEN_MS);
  const { heard, isEcho } = here;
  if (here.recognised?.dialect === dialect) return undefined;
  if (here.recognised !== undefined) return { kind: "wrong-device", answers: here.recognised.who };
  if (speaks && isMirroredText(heard, tried.delimiter ?? "\n"))
    return { kind: "swapped", by: "mirrored-lines" };
  // Who speaks by itself makes bytes at any rate, and is listened to for two of its own pauses.
  const listenMs = speaks && heard.length > 0 ? Math.min(LISTEN_MS_MAX, 2 * here.gapMsMax + 500) : 0;
  const other = await otherSettings(tried, all, listenMs);
  if (other !== undefined) return other;
  const askedMirrored = !speaks && (await answersMirrored(tried, dialect.question));
  if (askedMirrored === "answered") return { kind: "swapped", by: "mirrored-question" };
  return heard.length > 0 && !isEcho
    ? { kind: "garbled", bytes: heard.length }
    : { kind: "silent", echo: isEcho, askedMirrored: askedMirrored === "silent" };
}

async function otherSettings(
  tried: Tried,
  all: readonly Dialect[],
  listenMs: number,
): Promise<NotFoundCause | undefined> {
  const { dialect, target } = tried;
  const { baudRate, parity = "none" } = target;
  for (const fits of PARITIES.filter((other) => other !== parity)) {
    const { recognised } = await tryAt(tried, { ...target, parity: fits }, all, listenMs);
    if (recognised?.dialect === dialect) return { kind: "wrong-parity", parity, fits };
    if (recognised !== undefined)
      return { kind: "wrong-device", answers: `${recognised.who} with parity ${fits}` };
  }
  for (const fits of USUAL_RATES.filter((other) => other !== baudRate)) {
    const there = await tryIfItCan(tried, { ...target, baudRate: fits }, all, listenMs);
    if (there?.recognised?.dialect === dialect) return { kind: "wrong-baud", baudRate, fits };
    if (there?.recognised !== undefined)
      return { kind: "wrong-device", answers: `${there.recognised.who} at ${fits} baud` };
  }
  return undefined;
}

/** Asks one question after the other, so that no answer meets a question; all dialects are listened to all the time. */
async function tryAt(
  tried: Tried,
  target: SerialTarget,
  dialects: readonly Dialect[],
  listenMs: number,
): Promise<HeardPort> {
  const port = await HeardPort.open(tried, target, dialects);
  try {
    for (const { question, name } of dialects)
      if (question !== undefined && port.recognised === undefined) {
        await port.send(question);
        await port.listen(answerWithinMs(tried, target.baudRate, question, name));
      }
    if (listenMs > 0) await port.listen(listenMs);
    return port;
  } finally {
    await port.close();
  }
}

/** Not every adapter can do every rate: then nothing is known of that one. */
async function tryIfItCan(...args: Parameters<typeof tryAt>): Promise<HeardPort | undefined> {
  try {
    return await tryAt(...args);
  } catch (failure) {
    if (isLinkError(failure) && failure.code === "LINK_FAILED") return undefined;
    throw failure;
  }
}

function answerWithinMs(tried: Tried, baudRate: number, question: Uint8Array, name: string): number {
  const ownMs = name === tried.dialect.name ? (tried.answerMs ?? ANSWER_MS) : ANSWER_MS;
  return ownMs + (BITS_MAX * 1000 * (question.length + ANSWER_BYTES_MAX)) / baudRate;
}

/** Whether it answers every time when it is asked upside down, and never so much when it is asked nonsense. */
async function answersMirrored(
  tried: Tried,
  question: Uint8Array,
): Promise<"answered" | "silent" | "cannot-ask"> {
  const { target } = tried;
  const { baudRate, parity } = target;
  const nonsense = question.map((byte) => byte ^ 0x55);
  const fast = { ...target, baudRate: MIRROR_RATIO * baudRate, parity: "none", dataBits: 8 } as const;
  const answered: number[] = [];
  const chance: number[] = [];
  let port: HeardPort;
  try {
    port = await HeardPort.open(tried, fast);
  } catch (failure) {
    if (isLinkError(failure) && failure.code === "LINK_FAILED") return "cannot-ask";
    throw failure;
  }
  try {
    for (let round = 0; round < MIRRORED_ROUNDS; round++)
      for (const [asked, counts] of [
        [question, answered],
        [nonsense, chance],
      ] as const) {
        const before = port.heardBytes;
        await port.send(mirrored(asked, parity));
        await port.listen(answerWithinMs(tried, baudRate, asked, tried.dialect.name));
        counts.push(port.heardBytes - before);
      }
  } finally {
    await port.close();
  }
  return Math.min(...answered) > Math.max(...chance) ? "answered" : "silent";
}
