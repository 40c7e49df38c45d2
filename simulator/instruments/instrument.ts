import {
  cobs,
  flowCurveChannels,
  FrameDecoder,
  readFromHost,
  writeFromInstrument,
  type Framing,
  type FromHost,
  type FromInstrument,
  type Position,
} from "@coalmine/instrument";
import { InstrumentId } from "@coalmine/contract";
import type { Clock, Link, Timer } from "@coalmine/ports";
import type { SeededRandom } from "@coalmine/runtime/seeded-random";
import type { FlowCurveSource, FlowPoint } from "./flow-curve-source.ts";
import type { Ledger } from "./ledger.ts";
import { OutBuffer } from "./out-buffer.ts";
import { Ring } from "./ring.ts";

export interface InstrumentOptions {
  readonly id: string;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly source: FlowCurveSource;
  readonly ledger: Ledger;
  /** One flow curve each period, the first `phaseMs` after the start. */
  readonly periodMs?: number;
  readonly phaseMs?: number;
  /** Every how manieth curve is of the control fluid; the first is. 0: none. */
  readonly controlEvery?: number;
  /** Between the points of a curve. */
  readonly pointIntervalMs?: number;
  /** Send each point as it is measured, or all when the curve is done (fewer events for a hosted fleet). */
  readonly transmit?: "point" | "curve";
  readonly ringReadings?: number;
  /** How often it had started before; survives power cuts, as the ring does. */
  readonly bootsBefore?: number;
  readonly firmware?: string;
  readonly framing?: Framing;
}

export const FIRMWARE = "1.4.2";
const SCHEMA = 1;
const SELF_TEST_INTERVAL_MS = 50;
const SELF_TEST_COUNT_MAX = 100;
const REPLAY_LINES_AT_ONCE = 16;

/**
 * The program inside a simulated instrument. Readings wait in a ring that outlives a restart until a host has
 * acknowledged them; whatever the host does, measuring goes on.
 */
export class Instrument {
  readonly id: string;
  readonly #options: InstrumentOptions;
  readonly #clock: Clock;
  readonly #ring: Ring;
  readonly #microsecondsPerMs: number;
  #out: OutBuffer | undefined;
  #timers = new Set<Timer>();
  #boot: number;
  #bootedAtMs = 0;
  #sequence = 0;
  #curves = 0;
  #running = false;
  #nextCurve: Timer | undefined;

  constructor(options: InstrumentOptions) {
    this.id = InstrumentId.parse(options.id);
    this.#options = options;
    this.#clock = options.clock;
    this.#ring = new Ring(options.ringReadings ?? 4096);
    this.#boot = options.bootsBefore ?? 0;
    // A quartz of a microcontroller: within 50 ppm, and each its own.
    this.#microsecondsPerMs = 1000 * (1 + (options.random.next() - 0.5) * 100e-6);
  }

  get boot(): number {
    return this.#boot;
  }
  /** Readings that had to give way before a host acknowledged them. */
  get overwritten(): number {
    return this.#ring.overwritten;
  }
  get unacknowledged(): number {
    return this.#ring.size;
  }

  /** Powers it up: the next boot begins at sequence 0. */
  start(): void {
    this.stop();
    this.#running = true;
    this.#boot++;
    this.#bootedAtMs = this.#clock.monotonicMs();
    this.#sequence = 0;
    this.#curves = 0;
    this.#out?.send(
      new TextEncoder().encode(
        `rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\nentry 0x400805e4\r\n`,
      ),
    );
    this.#sayHello(0);
    this.#nextCurve = this.#later(this.#options.phaseMs ?? 0, () => this.#beginCurve());
  }

  /** Cuts its power. The ring keeps. */
  stop(): void {
    this.#running = false;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#out?.forget();
  }

  /** Measures no more after the running curve, and still answers. */
  rest(): void {
    if (this.#nextCurve === undefined) return;
    this.#nextCurve.cancel();
    this.#timers.delete(this.#nextCurve);
  }
  /** Rests, the last curve is measured, and a host has acknowledged all of it. */
  get isDone(): boolean {
    return this.#timers.size === 0 && this.#ring.size === 0;
  }

  /** Its end of the cable. A new cable replaces the old one. */
  attach(link: Link): void {
    const out = new OutBuffer(link);
    this.#out = out;
    const decoder = new FrameDecoder((decoded) => {
      if (decoded.kind !== "frame" || !this.#running || this.#out !== out) return;
      const message = readFromHost(decoded.frame);
      if (message.kind !== "not-understood") this.#obey(message, out);
    }, this.#options.framing ?? cobs);
    link.onData((bytes) => decoder.push(bytes));
    link.onClose(() => {
      if (this.#out === out) this.#out = undefined;
    });
  }

  #beginCurve(): void {
    const {
      periodMs = 300_000,
      controlEvery = 12,
      pointIntervalMs = 500,
      transmit = "point",
    } = this.#options;
    const curve = this.#curves++;
    this.#nextCurve = this.#laterAt((this.#options.phaseMs ?? 0) + this.#curves * periodMs, () =>
      this.#beginCurve(),
    );
    const control = controlEvery > 0 && curve % controlEvery === 0;
    const startedMs = this.#clock.monotonicMs();
    const points = this.#options.source.curve(control ? "control" : "sample", this.#clock.now());
    // Never longer than the period, so that curves do not overlap.
    const stepMs = Math.min(pointIntervalMs, (0.8 * periodMs) / points.length);
    const take = (point: number) => this.#keep(curve, points, point, control, startedMs + point * stepMs);
    // Measured whether or not anybody listens: first kept, then sent.
    const send = (lines: readonly Uint8Array[]) => this.#out?.send(concatenated(lines));
    if (transmit === "point")
      for (const point of points.keys()) this.#later(point * stepMs, () => send([take(point)]));
    else this.#later((points.length - 1) * stepMs, () => send([...points.keys()].map(take)));
  }

  /** Measured: into the ledger, into the ring, and its line. */
  #keep(
    curve: number,
    points: readonly FlowPoint[],
    point: number,
    control: boolean,
    atMs: number,
  ): Uint8Array {
    const sequence = this.#sequence++;
    const boot = this.#boot;
    const measured = points[point];
    if (measured === undefined) throw new RangeError(`curve ${curve} has no point ${point}`);
    this.#options.ledger.measured({
      instrument: this.id,
      boot,
      sequence,
      channels: flowCurveChannels.length,
      control,
      sampledMs: this.#clock.now() - (this.#clock.monotonicMs() - atMs),
    });
    const line = this.#write({
      kind: "reading",
      boot,
      deviceUs: this.#deviceUs(atMs),
      sequence,
      reading: { ...measured, curve, point, points: points.length, control },
    });
    this.#ring.push({ boot, sequence, line });
    return line;
  }

  #obey(message: FromHost, out: OutBuffer): void {
    const receivedUs = this.#deviceUs();
    switch (message.kind) {
      case "who":
        this.#sayHello(message.request);
        break;
      case "acknowledge":
        this.#ring.acknowledge(message.upTo);
        break;
      case "replay":
        void this.#replay(message.request, message.from, message.limit, out);
        break;
      case "time-request":
        out.send(
          this.#write({
            kind: "time",
            boot: this.#boot,
            deviceUs: this.#deviceUs(),
            request: message.request,
            receivedUs,
            next: this.#sequence,
          }),
        );
        break;
      case "measure-request":
        this.#measure(message.request);
        break;
      case "self-test-request":
        this.#selfTest(message.request, Math.min(message.count, SELF_TEST_COUNT_MAX));
        break;
    }
  }

  async #replay(request: number, from: Position, limit: number, out: OutBuffer): Promise<void> {
    const replay = out.beginReplay();
    const kept = this.#ring.from(from, limit);
    const first = kept[0] ?? { boot: this.#boot, sequence: this.#sequence };
    out.send(
      this.#write({
        kind: "replaying",
        boot: this.#boot,
        deviceUs: this.#deviceUs(),
        request,
        first,
        count: kept.length,
      }),
    );
    for (let at = 0; at < kept.length; at += REPLAY_LINES_AT_ONCE) {
      await out.room();
      // A newer request, a new cable or a restart ends this one.
      if (!out.isReplay(replay) || this.#out !== out) return;
      out.send(concatenated(kept.slice(at, at + REPLAY_LINES_AT_ONCE).map((reading) => reading.line)));
    }
  }

  #selfTest(request: number, count: number): void {
    for (let index = 0; index < count; index++)
      this.#later((index + 1) * SELF_TEST_INTERVAL_MS, () => {
        this.#out?.send(
          this.#write({
            kind: "self-test",
            boot: this.#boot,
            deviceUs: this.#deviceUs(),
            request,
            index,
            count,
            ...this.#options.source.empty(this.#clock.now()),
          }),
        );
      });
  }

  /** A curve of what was filled in, for the host that asked; like a self-test's readings it goes by if nobody listens. */
  #measure(request: number): void {
    const points = this.#options.source.curve("reference", this.#clock.now());
    for (const [point, measured] of points.entries())
      this.#later((point + 1) * SELF_TEST_INTERVAL_MS, () =>
        this.#out?.send(
          this.#write({
            kind: "measured",
            boot: this.#boot,
            deviceUs: this.#deviceUs(),
            request,
            reading: { ...measured, curve: 0, point, points: points.length, control: false },
          }),
        ),
      );
  }

  #write(message: FromInstrument): Uint8Array {
    return writeFromInstrument(message, this.#options.framing ?? cobs);
  }

  #sayHello(request: number): void {
    const oldest = this.#ring.oldest ?? { boot: this.#boot, sequence: this.#sequence };
    this.#out?.send(
      this.#write({
        kind: "hello",
        boot: this.#boot,
        deviceUs: this.#deviceUs(),
        request,
        instrument: InstrumentId.parse(this.id),
        firmware: this.#options.firmware ?? FIRMWARE,
        schema: SCHEMA,
        next: this.#sequence,
        kept: this.#ring.size,
        oldest,
        overwritten: this.#ring.overwritten,
      }),
    );
  }

  #deviceUs(atMs = this.#clock.monotonicMs()): number {
    return Math.max(0, Math.round((atMs - this.#bootedAtMs) * this.#microsecondsPerMs));
  }
  /** `sinceBootMs` after the start: an absolute schedule does not creep. */
  #laterAt(sinceBootMs: number, act: () => void): Timer {
    return this.#later(this.#bootedAtMs + sinceBootMs - this.#clock.monotonicMs(), act);
  }
  #later(delayMs: number, act: () => void): Timer {
    const timer = this.#clock.timer(delayMs, () => {
      this.#timers.delete(timer);
      act();
    });
    this.#timers.add(timer);
    return timer;
  }
}

function concatenated(lines: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(lines.reduce((sum, line) => sum + line.length, 0));
  let at = 0;
  for (const line of lines) {
    all.set(line, at);
    at += line.length;
  }
  return all;
}
