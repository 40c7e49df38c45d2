import type { InstrumentId } from "@coalmine/contract";
import {
  comparePositions,
  framings,
  InstrumentConnection,
  type FromHost,
  type FromInstrument,
  type Position,
} from "@coalmine/instrument";
import type { Clock, Link, Log } from "@coalmine/ports";
import { Answers } from "./answers.ts";
import type { CalibrationHistory } from "./calibration-history.ts";
import type { Config } from "./config.ts";
import { burstErrorMs, type Exchange } from "./device-time.ts";
import type { Intake } from "./intake.ts";
import type { Counts } from "./counts.ts";
import { worthOf, type SampleTime } from "./points.ts";
import type { PortSession } from "./port-session.ts";
import { Replay } from "./replay.ts";
import { READ_MS, type WallTime } from "./wall-time.ts";

/** What a session needs of the reader. */
export interface SessionOwner {
  readonly clock: Clock;
  readonly log: Log;
  readonly counts: Counts;
  readonly wall: WallTime;
  readonly calibrations: CalibrationHistory;
  /** Whether readings may be dated: the device's clock was set, or waiting for it is over. */
  readonly dates: boolean;
  config(): Config;
  /** The one intake of this instrument; `session` replaces whichever session had it. */
  adopt(instrument: InstrumentId, session: Session): Intake;
  /** A reading was taken into a batch that is still forming. */
  forming(intake: Intake): void;
}

const HELLO_TRIES_MAX = 5;
const ANSWER_WITHIN_MS = 1000;
/** Exchanges of a burst: at least, and on a line with much jitter until the time is known to a millisecond, or at most. */
const EXCHANGES_MIN = 8;
const EXCHANGES_MAX = 40;
const EXCHANGE_ERROR_MS = 1;
/** A curve whose next point has not come for this long is not running any more. */
const CURVE_SILENT_MS = 15_000;
/** How wrong the time of a reading may be whose boot ended before anybody compared clocks. */
const UNDATED_MS = 3_600_000;
/** A hundred years: nobody knows when. */
const CLOCK_NOT_SET_MS = 3.2e12;
/** Room for at least a curve, before a replay is asked for. */
const REPLAY_MIN = 20;

type HelloMessage = Extract<FromInstrument, { kind: "hello" }>;

/** One open link: hello, compare clocks, resume, read; again from the start when the instrument restarts. */
export class Session implements PortSession {
  readonly port: string;
  readonly #owner: SessionOwner;
  readonly #connection: InstrumentConnection;
  readonly #answers: Answers;
  readonly #replay: Replay;
  #intake: Intake | undefined;
  #boot = -1;
  #reading = false;
  #starved = false;
  #request = 0;
  #curve = { more: false, beganMs: 0, atMs: 0 };
  /** Whether it ever came to read: what tells a bad port from a bad moment. */
  hasRead = false;

  constructor(port: string, link: Link, owner: SessionOwner) {
    this.port = port;
    this.#owner = owner;
    this.#answers = new Answers(owner.clock);
    this.#replay = new Replay(
      owner.clock,
      () => this.#askReplay(),
      () => this.close("the instrument does not replay"),
    );
    this.#connection = new InstrumentConnection(
      link,
      {
        message: (message) => {
          owner.counts.add("framesReceived");
          this.#heard(message);
        },
        bootText: () => this.#answers.restarted(),
        refused: () => owner.counts.add("framesRefused"),
        closed: (why) => this.#answers.end(why.by === "us" ? "closed by the reader" : why.reason),
      },
      framings[owner.config().framing],
    );
  }

  /** Runs until the link is gone; why it went. Never rejects. */
  async run(): Promise<string> {
    while (this.#answers.ended === undefined) {
      const hello = await this.#hello();
      if (hello === undefined) this.close("nothing answers as an instrument");
      else if (await this.#exchangeTimes()) {
        this.#resume();
        // Until it restarts, the link ends, or it stops answering.
        for (;;) {
          const woken = await this.#answers.quiet(this.#owner.config().timeExchangeSeconds * 1000);
          if (woken !== "timeout") break;
          if (!(await this.#exchangeTimes())) break;
          // The line may have lost the last acknowledgement, and an idle instrument gives no reason for another.
          this.settled();
        }
      } else this.close("the instrument does not answer when asked for its time");
      this.#reading = false;
      this.#replay.end();
    }
    await this.#connection.close().catch(() => undefined);
    return this.#answers.ended;
  }

  close(why: string): void {
    this.#answers.end(why);
    void this.#connection.close().catch(() => undefined);
  }

  /** A flow curve is being measured: a restart now would make a hole of seconds in what is live. */
  isInCurve(): boolean {
    return this.curveBeganMs !== undefined;
  }

  /** When the curve that is being measured began, on the monotonic clock; undefined where none is. */
  get curveBeganMs(): number | undefined {
    const { more, beganMs, atMs } = this.#curve;
    return more && this.#owner.clock.monotonicMs() - atMs < CURVE_SILENT_MS ? beganMs : undefined;
  }

  /** stream-uploader took something, or the clock was set: the instrument may forget, and there may be room again. */
  settled(): void {
    const upTo = this.#intake?.safeUpTo;
    if (upTo !== undefined && this.#reading) this.#send({ kind: "acknowledge", upTo });
    if (this.#starved) this.#askReplay();
  }

  async #hello(): Promise<HelloMessage | undefined> {
    for (let tries = 0; tries < HELLO_TRIES_MAX && this.#answers.ended === undefined; tries++) {
      const request = ++this.#request;
      this.#answers.forgetRestart();
      this.#send({ kind: "who", request });
      const hello = await this.#answers.to(request, ANSWER_WITHIN_MS);
      if (hello?.kind !== "hello") continue;
      this.#boot = hello.boot;
      this.#intake = this.#owner.adopt(hello.instrument, this);
      this.#complainOfLostMemory(hello);
      this.#skipTo(hello.oldest);
      this.#replay.saw({ boot: hello.boot, sequence: hello.next - 1 });
      return hello;
    }
    return undefined;
  }

  /** A boot counter that went back gives old names to new readings: none of them could be told from those already taken. */
  #complainOfLostMemory(hello: HelloMessage): void {
    const next = this.#intake?.next;
    if (next !== undefined && hello.boot < next.boot)
      this.#owner.log.error(
        "an instrument's boot counter went back, so its readings are not taken: give it a new id or restore the counter",
        { instrument: hello.instrument, boot: hello.boot, expected: next.boot },
      );
  }

  /** False when not one of the questions was answered. */
  async #exchangeTimes(): Promise<boolean> {
    const { clock } = this.#owner;
    const burst: Exchange[] = [];
    const boot = this.#boot;
    for (let index = 0; index < EXCHANGES_MAX && this.#answers.ended === undefined; index++) {
      if (index >= EXCHANGES_MIN && (burst.length === 0 || burstErrorMs(burst) <= EXCHANGE_ERROR_MS)) break;
      const request = ++this.#request;
      const askedMs = clock.monotonicMs();
      this.#send({ kind: "time-request", request });
      const answer = await this.#answers.to(request, ANSWER_WITHIN_MS);
      if (answer?.kind !== "time") continue;
      if (answer.boot !== boot) {
        this.#answers.restarted();
        continue;
      }
      burst.push({
        askedMs,
        receivedUs: answer.receivedUs,
        answeredUs: answer.deviceUs,
        heardMs: this.#answers.heardAtMs,
      });
      if (this.#reading && answer.next > 0) this.#missed({ boot, sequence: answer.next - 1 });
    }
    this.#intake?.timeOf(boot).add(burst);
    return burst.length > 0;
  }

  #resume(): void {
    this.#reading = true;
    this.hasRead = true;
    this.settled();
    this.#askReplay();
  }

  #heard(message: FromInstrument): void {
    switch (message.kind) {
      case "hello":
        // Not asked for: it says that it has started.
        if (message.request === 0) this.#answers.restarted();
        else this.#answers.heard(message.request, message);
        break;
      case "time":
      case "self-test":
      case "measured":
        this.#answers.heard(message.request, message);
        break;
      case "replaying":
        if (!this.#reading) break;
        this.#skipTo(message.first);
        if (this.#replay.announced(message.request, message.first, message.count)) this.#askMore();
        break;
      case "reading":
        if (this.#reading) this.#heardReading(message);
        break;
    }
  }

  #heardReading(message: Extract<FromInstrument, { kind: "reading" }>): void {
    const { clock, counts } = this.#owner;
    const intake = this.#intake;
    const next = intake?.next;
    if (intake === undefined || next === undefined) return;
    const at = { boot: message.boot, sequence: message.sequence };
    const { reading } = message;
    // It restarted, and the line lost what it said of it: first its clock, then its readings.
    if (message.boot > this.#boot) return this.#answers.restarted();
    if (!this.#replay.isRunning)
      this.#curve = {
        more: reading.point < reading.points - 1,
        beganMs: this.curveBeganMs ?? clock.monotonicMs(),
        atMs: clock.monotonicMs(),
      };
    const order = comparePositions(at, next);
    if (order < 0) return;
    if (order > 0) {
      this.#replay.endIfLostBefore(at);
      return this.#missed(at);
    }
    this.#replay.saw(at);
    if (intake.unacknowledged >= this.#owner.config().unacknowledgedMax || !this.#owner.dates) {
      // Not taken, so not acknowledged: the instrument keeps it until there is room, or until it can be dated.
      this.#starved = true;
      this.#replay.end();
      return;
    }
    const time = this.#sampled(intake, message.boot, message.deviceUs);
    const calibration = this.#owner.calibrations.curveOf(intake.instrument, at, time.ms);
    const { controlReference } = this.#owner.config();
    const worth = worthOf({ instrument: intake.instrument, ...at }, reading, time, {
      calibration,
      controlReference,
    });
    counts.add("readings");
    if (worth.controlResidual !== undefined) counts.observe("controlResidual", worth.controlResidual);
    if (this.#replay.isRunning) counts.add("replayed");
    const closes = reading.point === reading.points - 1;
    intake.take(at, worth.points, closes);
    this.#owner.forming(intake);
    if (this.#replay.took()) this.#askMore();
  }

  /** The instrument has a reading that should have come before. */
  #missed(at: Position): void {
    const next = this.#intake?.next;
    this.#replay.saw(at);
    if (next === undefined || comparePositions(at, next) < 0 || this.#replay.isRunning || this.#starved)
      return;
    this.#owner.counts.add("gaps");
    this.#askReplay();
  }

  #askMore(): void {
    if (this.#replay.isBehind(this.#intake?.next)) this.#askReplay();
  }

  #askReplay(): void {
    const intake = this.#intake;
    if (intake?.next === undefined || !this.#reading || this.#replay.isRunning) return;
    const room = this.#owner.config().unacknowledgedMax - intake.unacknowledged;
    this.#starved = room < REPLAY_MIN || !this.#owner.dates;
    if (this.#starved) return;
    const request = ++this.#request;
    this.#replay.begin(request);
    this.#send({ kind: "replay", request, from: intake.next, limit: room });
  }

  /** The instrument begins later than asked: what lies between is gone, or it restarted in between. */
  #skipTo(first: Position): void {
    const intake = this.#intake;
    const next = intake?.next;
    if (intake === undefined || (next !== undefined && comparePositions(first, next) <= 0)) return;
    if (first.boot === next?.boot) {
      this.#owner.counts.add("gaps");
      this.#owner.log.error("readings are lost: the instrument's ring was full before they were read", {
        instrument: intake.instrument,
        boot: first.boot,
        from: next.sequence,
        to: first.sequence - 1,
      });
    }
    intake.skipTo(first);
  }

  #sampled(intake: Intake, boot: number, deviceUs: number): SampleTime {
    const { wall } = this.#owner;
    const time = intake.timeOf(boot);
    if (time.known) {
      const { ms, uncertaintyMs } = time.at(deviceUs);
      const at = intake.inOrder(boot, wall.at(ms), wall.steps);
      return {
        ms: at.ms,
        uncertaintyMs: wall.isSet ? uncertaintyMs + at.movedMs + READ_MS : CLOCK_NOT_SET_MS,
        dated: wall.isSet,
      };
    }
    // Measured before a restart that this reader did not see: some time before the present boot began.
    const bootedMs = intake.timeOf(this.#boot).at(0).ms;
    return { ms: wall.at(bootedMs), uncertaintyMs: UNDATED_MS, dated: false };
  }

  #send(message: FromHost): void {
    void this.#connection.send(message).catch((failure: unknown) => {
      this.#answers.end(failure instanceof Error ? failure.message : "the link refused a write");
    });
  }
}
