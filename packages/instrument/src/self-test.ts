import type { Clock, Link } from "@coalmine/ports";
import { Waiting } from "@coalmine/runtime";
import { InstrumentConnection } from "./connection.ts";
import type { FromHost, FromInstrument } from "./message.ts";

export const SELF_TEST_READINGS = 20;
const ASK_TIMES_MAX = 3;
const ANSWER_WITHIN_MS = 1500;
/** Generous: the instrument takes a reading in about 50 ms. */
const READINGS_WITHIN_MS = 10_000;

/** What a healthy instrument keeps to on an empty channel, in Pa. */
export const selfTestLimits = { noise: 0.01, offset: 0.05, driftPerMinute: 0.05 } as const;

export type SelfTest =
  /** Nothing came at all: no power, no cable. Only damage came: other baud rate, or the two wires swapped. Neither. */
  | { readonly found: false; readonly because: "silent" | "garbled" | "closed"; readonly advice: string }
  | {
      readonly found: true;
      readonly instrument: string;
      readonly firmware: string;
      readonly boot: number;
      /** On the empty channel, of `SELF_TEST_READINGS` asked for. */
      readonly readings: number;
      /** Mean shear stress, its standard deviation about the straight line through it, in Pa, and the line's slope. */
      readonly offset: number;
      readonly noise: number;
      readonly driftPerMinute: number;
      readonly temperature: number;
      readonly passed: boolean;
      /** What to do, where it did not pass. */
      readonly advice: string;
    };

type HelloMessage = Extract<FromInstrument, { kind: "hello" }>;
type SelfTestMessage = Extract<FromInstrument, { kind: "self-test" }>;

/**
 * Asks an instrument who it is and has it read its empty channel. The link must be just opened (its handlers are taken)
 * and is closed at the end. Ends within about 15 s whatever the instrument does.
 */
export async function selfTest(link: Link, clock: Clock): Promise<SelfTest> {
  const heard = new Heard(clock);
  const connection = new InstrumentConnection(link, {
    message: (message) => heard.message(message),
    bootText: () => undefined,
    refused: () => undefined,
    closed: () => heard.end(),
  });
  try {
    for (let asked = 1; asked <= ASK_TIMES_MAX && heard.hello === undefined && !heard.ended; asked++) {
      await sendOrEnd(connection, { kind: "who", request: asked }, heard);
      await heard.until(() => heard.hello !== undefined, ANSWER_WITHIN_MS);
    }
    const hello = heard.hello;
    if (hello === undefined) return notFound(heard.ended, connection.bytesReceived);
    await sendOrEnd(
      connection,
      { kind: "self-test-request", request: ASK_TIMES_MAX + 1, count: SELF_TEST_READINGS },
      heard,
    );
    await heard.until(() => heard.readings.length >= SELF_TEST_READINGS, READINGS_WITHIN_MS);
    return judged(hello, heard.readings);
  } finally {
    // A link that went by itself may refuse to close; there is nothing left to do with it.
    await connection.close().catch(() => undefined);
  }
}

/** What has come so far, and a wait for more that ends with the link or the patience. */
class Heard {
  hello: HelloMessage | undefined;
  readonly readings: SelfTestMessage[] = [];
  ended = false;
  readonly #waiting: Waiting;

  constructor(clock: Clock) {
    this.#waiting = new Waiting(clock);
  }

  message(message: FromInstrument): void {
    if (message.kind === "hello") this.hello = message;
    if (message.kind === "self-test") this.readings.push(message);
    this.#waiting.look();
  }
  end(): void {
    this.ended = true;
    this.#waiting.look();
  }
  until(enough: () => boolean, patienceMs: number): Promise<void> {
    return this.#waiting.until(() => this.ended || enough(), patienceMs);
  }
}

async function sendOrEnd(connection: InstrumentConnection, message: FromHost, heard: Heard): Promise<void> {
  try {
    await connection.send(message);
  } catch {
    heard.end();
  }
}

function notFound(ended: boolean, bytesReceived: number): SelfTest {
  if (bytesReceived > 0)
    return {
      found: false,
      because: "garbled",
      advice: `${bytesReceived} bytes came but no whole frame: check the baud rate and that the two data wires are not swapped.`,
    };
  return ended
    ? {
        found: false,
        because: "closed",
        advice: "The port closed while asking: check the plug and try again.",
      }
    : { found: false, because: "silent", advice: "Nothing came: check the instrument's power and cable." };
}

function judged(hello: HelloMessage, readings: readonly SelfTestMessage[]): SelfTest {
  const line = straightLine(
    readings.map((reading) => [reading.deviceUs / 60e6, reading.shearStress] as const),
  );
  const complaints = [
    readings.length < SELF_TEST_READINGS &&
      `only ${readings.length} of ${SELF_TEST_READINGS} readings came: check the cable`,
    line.noise > selfTestLimits.noise &&
      `noise is ${line.noise.toPrecision(2)} Pa, at most ${selfTestLimits.noise} is healthy: check shield and ground`,
    Math.abs(line.mean) > selfTestLimits.offset &&
      `the empty channel reads ${line.mean.toPrecision(2)} Pa: rinse the capillary, then zero the sensor`,
    Math.abs(line.slope) > selfTestLimits.driftPerMinute &&
      `the reading drifts ${line.slope.toPrecision(2)} Pa a minute: let the instrument warm up, then repeat`,
  ].filter((complaint) => complaint !== false);
  return {
    found: true,
    instrument: hello.instrument,
    firmware: hello.firmware,
    boot: hello.boot,
    readings: readings.length,
    offset: line.mean,
    noise: line.noise,
    driftPerMinute: line.slope,
    temperature:
      readings.reduce((sum, reading) => sum + reading.temperature, 0) / Math.max(1, readings.length),
    passed: complaints.length === 0,
    advice: complaints.length === 0 ? "" : `${complaints.join("; ")}.`,
  };
}

/** Least squares. Of fewer than three points the noise is 0. */
function straightLine(points: readonly (readonly [number, number])[]): {
  mean: number;
  slope: number;
  noise: number;
} {
  const n = Math.max(1, points.length);
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const sxx = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const sxy = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const slope = sxx === 0 ? 0 : sxy / sxx;
  const squares = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { mean: meanY, slope, noise: n < 3 ? 0 : Math.sqrt(squares / (n - 2)) };
}
