import type { Clock, Link } from "@coalmine/ports";
import { Waiting } from "@coalmine/runtime";
import type { Channel, Judged } from "../channel.ts";
import type { TextLine } from "../lines.ts";
import { LineDecoder } from "../text-line.ts";
import { readSentence, sentenceOf } from "../text-sentence.ts";
import type { Timed } from "./steadiness.ts";

export interface TextSelfTest {
  /** Whether whole lines came. */
  readonly found: boolean;
  readonly passed: boolean;
  /** Lines that were readings with every field a number in its range; for a question, answers to it. */
  readonly plausible: number;
  readonly seconds: number;
  /** Good values by channel, with the minutes since the first line. */
  readonly readings: ReadonlyMap<string, { readonly unit: string; readonly values: readonly Timed[] }>;
  /** Fields that were no good, by the cause. */
  readonly flags: Readonly<Record<string, number>>;
  /** Why the link ended, where it did by itself. */
  readonly ended: string | undefined;
  /** What to do, where it did not pass. */
  readonly advice: string;
}

type Asked = Pick<TextLine, "delimiter" | "checksum" | "separator" | "sentences" | "selfTest">;

/** Of a line that is quoted to a person. */
const QUOTED_MAX = 60;

/**
 * Listens to an instrument that sends lines of text, or asks it what `selfTest` says. The link must be just opened and is
 * closed at the end, after `withinSeconds` at the latest.
 */
export async function textSelfTest(link: Link, clock: Clock, line: Asked): Promise<TextSelfTest> {
  const { selfTest } = line;
  const beganMs = clock.monotonicMs();
  const waiting = new Waiting(clock);
  const heard = new HeardLines(line, clock);
  const decoder = new LineDecoder(line, {
    line: (text) => heard.line(text),
    refused: () => void heard.refused++,
  });
  let ended: string | undefined;
  link.onData((bytes) => {
    heard.bytes += bytes.length;
    decoder.push(bytes);
    waiting.look();
  });
  link.onClose((why) => {
    if (why.by === "other") ended = why.reason;
    waiting.wake();
  });
  try {
    if (selfTest.kind === "ask") await link.write(new TextEncoder().encode(selfTest.send));
    const isOver = () => ended !== undefined || heard.plausible >= wanted(line);
    await waiting.until(isOver, 1000 * selfTest.withinSeconds);
    const passed = heard.plausible >= wanted(line);
    return {
      found: heard.lines > 0,
      passed,
      plausible: heard.plausible,
      seconds: (clock.monotonicMs() - beganMs) / 1000,
      readings: heard.readings,
      flags: heard.flags,
      ended,
      advice: passed ? "" : heard.advice(ended),
    };
  } finally {
    // A link that went by itself may refuse to close; there is nothing left to do with it.
    await link.close().catch(() => undefined);
  }
}

function wanted({ selfTest }: Asked): number {
  return selfTest.kind === "ask" ? 1 : selfTest.lines;
}

/** What came, and what was wrong with it. */
class HeardLines {
  readonly #line: Asked;
  readonly #clock: Clock;
  #firstMs: number | undefined;
  readonly readings = new Map<string, { unit: string; values: Timed[] }>();
  readonly flags: Record<string, number> = {};
  bytes = 0;
  lines = 0;
  refused = 0;
  plausible = 0;
  #last = "";
  #complaint = "";

  constructor(line: Asked, clock: Clock) {
    this.#line = line;
    this.#clock = clock;
  }

  line(text: string): void {
    this.lines++;
    this.#last = text;
    const { selfTest, sentences, separator } = this.#line;
    if (selfTest.kind === "ask") {
      if (text.startsWith(selfTest.expects)) this.plausible++;
      return;
    }
    const sentence = sentenceOf(sentences, text);
    if (sentence === undefined) return;
    const minutes = (this.#clock.monotonicMs() - (this.#firstMs ??= this.#clock.monotonicMs())) / 60_000;
    const fields = readSentence(sentence, separator, text, () => 0);
    for (const { channel, judged } of fields) this.#note(channel, judged, minutes);
    const wrong = fields.find(({ judged }) => judged.quality.level !== "good");
    if (wrong === undefined) {
      this.plausible++;
      return;
    }
    const { channel, text: field, judged } = wrong;
    const what =
      judged.quality.level === "bad" && judged.quality.cause === "instrument"
        ? "is no number"
        : `makes ${judged.value} ${channel.unit}, which is out of range`;
    this.#complaint = `${channel.channel}: "${field}" ${what}, in field ${channel.at} of ${quoted(text)}; correct the configuration, or look at the sensor`;
  }

  #note({ channel, unit }: Channel, { value, quality }: Judged, minutes: number): void {
    if (quality.level !== "good") {
      this.flags[quality.cause] = (this.flags[quality.cause] ?? 0) + 1;
      return;
    }
    const known = this.readings.get(channel) ?? { unit, values: [] };
    this.readings.set(channel, known);
    known.values.push([minutes, value]);
  }

  advice(ended: string | undefined): string {
    const { selfTest, sentences } = this.#line;
    const within = `within ${selfTest.withinSeconds} s`;
    if (ended !== undefined) return `The line closed (${ended}): check the plug and try again.`;
    if (this.bytes === 0)
      return selfTest.kind === "ask"
        ? `Nothing came ${within} after ${quoted(selfTest.send)} was sent: check power and cable, and what the instrument is to be asked.`
        : `Nothing came ${within}: check the instrument's power and cable, and that it sends by itself.`;
    if (this.lines === 0)
      return this.refused > 0
        ? `${this.refused} lines came, all damaged: check baud rate and parity, and whether its lines have a checksum.`
        : `${this.bytes} bytes came ${within} but no whole line: check baud rate and delimiter.`;
    if (selfTest.kind === "ask")
      return `No line began with ${quoted(selfTest.expects)} ${within} after ${quoted(selfTest.send)} was sent; the last was ${quoted(this.#last)}: correct the question or what it is to bring.`;
    if (this.#complaint !== "") return `${this.#complaint}.`;
    if (this.plausible > 0)
      return `Only ${this.plausible} of ${selfTest.lines} lines came ${within}: check the cable, or give it more time.`;
    const begins = sentences.map((sentence) => quoted(sentence.begins)).join(" or ");
    return `${this.lines} lines came ${within}, but none began with ${begins}; the last was ${quoted(this.#last)}: correct what readings begin with.`;
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}…` : text);
}
