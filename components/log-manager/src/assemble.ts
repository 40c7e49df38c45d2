import type { Opens } from "./openings.ts";

/** An event as it stands in a file: bytes [start, end) of what was given, its last newline included. */
export interface RawEvent {
  readonly start: number;
  readonly end: number;
  /** Without the last newline; those inside are kept. What is not UTF-8 is U+FFFD. */
  readonly text: string;
  /** Lines that end in it; a line is counted where it ends. */
  readonly lines: number;
  /** `piece`: the line goes on behind it. `rest`: it began before. `cutOff`: a line whose end never came. */
  readonly mark: "whole" | "piece" | "rest" | "cutOff";
}

export interface Assembled {
  readonly events: readonly RawEvent[];
  /** Where the next look begins: everything before is in `events`. */
  readonly next: number;
  readonly isMidLine: boolean;
  /** What stands behind `next`: an event that may go on, a line without its end. */
  readonly held: "nothing" | "event" | "pemBlock" | "partialLine";
}

export interface AssembleOptions {
  readonly opens: Opens;
  /** The bytes begin inside a line. */
  readonly isMidLine: boolean;
  /** The last event is complete: nothing came for long enough; what is begun of a PEM block is held for longer. */
  readonly flush: boolean;
  readonly flushPemBlock: boolean;
  /** Nothing will follow: a line without its end goes as it is. */
  readonly isFinal: boolean;
  /** There is no room for more bytes: something must go, if need be a piece of a line. */
  readonly isFull: boolean;
  readonly keepsPemBlocks: boolean;
  /** Moves a cut through a line so that it cuts no secret. */
  readonly safeCut: (text: string, cut: number) => number;
}

/** An event of more lines than this is closed; a PEM block that never ends likewise. */
const EVENT_LINES_MAX = 5000;
const EVENT_BYTES_MAX = 512 * 1024;
const PEM_BYTES_MAX = 16 * 1024;
/** How far back from its end a piece of a line is searched for secrets that the cut would divide. */
const CUT_SEARCH_BYTES = 16 * 1024;
const NEWLINE = 10;

interface Open {
  start: number;
  end: number;
  text: string;
  lines: number;
  /** Whether it was opened by rule: only then may lines that open nothing join it. */
  byRule: boolean;
  pemFrom: number | undefined;
  mark: RawEvent["mark"];
}

/** Puts the lines of a piece of a log file together to events. Pure: the same bytes give the same events. */
export function assemble(bytes: Uint8Array, options: AssembleOptions): Assembled {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const events: RawEvent[] = [];
  let open: Open | undefined;
  let at = 0;
  let isMidLine = options.isMidLine;

  const close = (): void => {
    if (open === undefined) return;
    const { start, end, text, lines, mark } = open;
    events.push({ start, end, text, lines, mark });
    open = undefined;
  };
  for (;;) {
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline < 0) break;
    const line = decoder.decode(bytes.subarray(at, newline));
    const end = newline + 1;
    if (isMidLine) {
      events.push({ start: at, end, text: line, lines: 1, mark: "rest" });
      isMidLine = false;
    } else if (open !== undefined && joins(open, line, end, options)) {
      open.text += `\n${line}`;
      open.end = end;
      open.lines++;
      notePem(open, line, at, options);
    } else {
      close();
      open = {
        start: at,
        end,
        text: line,
        lines: 1,
        byRule: options.opens(line),
        pemFrom: undefined,
        mark: "whole",
      };
      notePem(open, line, at, options);
    }
    at = end;
  }

  const hasRemainder = at < bytes.length;
  if (open !== undefined) {
    const mayGoOn = open.pemFrom !== undefined || (open.byRule && !isCompleteJson(open.text));
    // What would fill the room for good is closed, however it may go on.
    const isTooLarge = options.isFull && events.length === 0;
    const isPem = open.pemFrom !== undefined;
    const isDue = isPem ? options.flushPemBlock : options.flush;
    if (mayGoOn && !isDue && !options.isFinal && !isTooLarge) {
      const held = hasRemainder ? "partialLine" : isPem ? "pemBlock" : "event";
      return { events, next: open.start, isMidLine: false, held };
    }
    close();
  }
  if (!hasRemainder) return { events, next: at, isMidLine, held: "nothing" };
  if (options.isFinal) {
    const text = decoder.decode(bytes.subarray(at));
    events.push({ start: at, end: bytes.length, text, lines: 1, mark: isMidLine ? "rest" : "cutOff" });
    return { events, next: bytes.length, isMidLine: true, held: "nothing" };
  }
  if (options.isFull && events.length === 0) {
    const end = at + pieceEnd(bytes.subarray(at), options.safeCut, decoder);
    events.push({ start: at, end, text: decoder.decode(bytes.subarray(at, end)), lines: 0, mark: "piece" });
    return { events, next: end, isMidLine: true, held: "partialLine" };
  }
  return { events, next: at, isMidLine, held: "partialLine" };
}

function joins(open: Open, line: string, end: number, { opens }: AssembleOptions): boolean {
  if (open.pemFrom !== undefined && end - open.pemFrom <= PEM_BYTES_MAX) return true;
  if (open.lines >= EVENT_LINES_MAX || end - open.start > EVENT_BYTES_MAX) return false;
  return open.byRule && !opens(line);
}

/** A PEM block is held together whatever its lines look like, since only as a whole it is known for what it is. */
function notePem(open: Open, line: string, at: number, { keepsPemBlocks }: AssembleOptions): void {
  if (!keepsPemBlocks || !line.includes("-----")) return;
  const begins = line.lastIndexOf("-----BEGIN ");
  const ends = line.lastIndexOf("-----END ");
  if (ends > begins) open.pemFrom = undefined;
  else if (begins >= 0) open.pemFrom = at;
}

/** A whole JSON object on one line does not go on: it need not wait for the next line. */
function isCompleteJson(text: string): boolean {
  return text.startsWith("{") && text.trimEnd().endsWith("}") && !text.includes("\n");
}

/** Where a line that is too long is cut: between code points, and not through what a redactor would find whole. */
function pieceEnd(
  line: Uint8Array,
  safeCut: AssembleOptions["safeCut"],
  decoder: { decode(bytes: Uint8Array): string },
): number {
  const from = codePointStart(line, Math.max(0, line.length - CUT_SEARCH_BYTES));
  const to = codePointStart(line, line.length - (line.length - from) / 2);
  const before = decoder.decode(line.subarray(from, to));
  const text = before + decoder.decode(line.subarray(to, codePointStart(line, line.length)));
  const cut = safeCut(text, before.length);
  if (cut === before.length || cut <= 0) return to;
  // U+FFFD stands for bytes that cannot be counted back: then the cut stays where it is.
  const kept = text.slice(0, cut);
  return kept.includes("\uFFFD") ? to : from + new TextEncoder().encode(kept).length;
}

/** The start of the UTF-8 sequence that holds the byte at `index`; `index` itself where there is none. */
function codePointStart(bytes: Uint8Array, index: number): number {
  const at = Math.floor(index);
  for (let back = 0; back <= 3 && at - back >= 0; back++) {
    const byte = bytes[at - back];
    if (byte === undefined) continue;
    if ((byte & 0xc0) !== 0x80) {
      if (back === 0) return at;
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
      return length > back ? at - back : at;
    }
  }
  return at;
}
