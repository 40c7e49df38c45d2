import type { Complaint, InstrumentFound, InstrumentId, SelfTestOutcome } from "@coalmine/contract";
import type { Clock, Links } from "@coalmine/ports";
import { Conversation } from "../conversation.ts";
import type { framings } from "../framing.ts";
import type { FromInstrument } from "../message.ts";
import { diagnose } from "./diagnosis.ts";
import { framedDialect } from "./dialect.ts";
import type { SerialTarget } from "./heard-port.ts";
import { notFound, notOpened } from "./opening.ts";
import { beyondLimits, steadiness } from "./steadiness.ts";

export const SELF_TEST_READINGS = 20;
/** In so many parts, apart, so that a drift has time to show. */
const PARTS = 4;
const PART_EVERY_MS = 1000;
/** Generous: the instrument takes a reading in about 50 ms. */
const PART_WITHIN_MS = 4000;

/** What a healthy instrument keeps to on an empty channel, in Pa, and Pa a minute. */
export const selfTestLimits = { noise: 0.01, offset: 0.05, driftPerMinute: 0.05 } as const;

export interface FramedTest {
  readonly links: Links;
  readonly clock: Clock;
  readonly target: SerialTarget;
  readonly framing?: keyof typeof framings;
  /** Who must answer; whoever does, unless stated. */
  readonly instrument?: InstrumentId;
}

type Hello = Extract<FromInstrument, { kind: "hello" }>;
type EmptyReading = Extract<FromInstrument, { kind: "self-test" }>;

/**
 * Asks whatever is on a port who it is and has it read its empty channel; where nothing usable answers, finds out why.
 * Opens the port, at other settings too, and closes it. Ends within a minute whatever the port does, and rejects only
 * with what is none of the port's failures.
 */
export async function framedSelfTest(test: FramedTest): Promise<SelfTestOutcome> {
  const { framing = "cobs", instrument } = test;
  let wasOpen = false;
  try {
    const conversation = await Conversation.open(test, test.target, framing);
    wasOpen = true;
    try {
      const hello = await conversation.who();
      if (hello !== undefined && instrument !== undefined && hello.instrument !== instrument)
        return notFound({ kind: "wrong-device", answers: hello.instrument }, instrument);
      if (hello !== undefined) {
        await readEmptyChannel(conversation, test.clock);
        return judged(hello, conversation.emptyReadings, framing);
      }
    } finally {
      await conversation.close();
    }
    const cause = await diagnose({ ...test, dialect: framedDialect(framing) });
    // It answers now and did not before: the line loses most of what it carries.
    return notFound(cause ?? { kind: "garbled", bytes: conversation.bytesReceived }, instrument);
  } catch (failure) {
    return notOpened(failure, instrument, wasOpen, test.target);
  }
}

async function readEmptyChannel(conversation: Conversation, clock: Clock): Promise<void> {
  const beganMs = clock.monotonicMs();
  for (let part = 0; part < PARTS; part++) {
    await conversation.until(() => false, beganMs + part * PART_EVERY_MS - clock.monotonicMs());
    await conversation.readEmpty(SELF_TEST_READINGS / PARTS, PART_WITHIN_MS);
  }
  // On a machine that has too much to do the last may be late.
  await conversation.until(() => conversation.emptyReadings.length >= SELF_TEST_READINGS, PART_WITHIN_MS);
}

function judged(hello: Hello, readings: readonly EmptyReading[], protocol: "cobs" | "slip"): InstrumentFound {
  const { instrument, firmware, boot } = hello;
  const first = readings[0]?.deviceUs ?? 0;
  const stress = steadiness(
    readings.map(({ deviceUs, shearStress }) => [(deviceUs - first) / 60e6, shearStress]),
    "Pa",
    selfTestLimits,
  );
  const temperature = readings.reduce((sum, each) => sum + each.temperature, 0) / readings.length;
  const flags = {
    clogged: readings.filter(({ clogged }) => clogged).length,
    clipped: readings.filter(({ clipped }) => clipped).length,
  };
  const complaints = complaintsOf(stress, flags);
  const passed = complaints.length === 0;
  const rounded = (value: number) => value.toPrecision(2);
  return {
    found: true,
    passed,
    protocol,
    instrument,
    firmware,
    boot,
    steadiness: { "shear-stress": stress },
    ...(readings.length === 0 ? {} : { temperature }),
    flags,
    complaints,
    sentence: passed
      ? `${instrument} with firmware ${firmware}: ${readings.length} of ${SELF_TEST_READINGS} readings, noise ${rounded(stress.noise)} Pa, empty channel ${rounded(stress.mean)} Pa, drift ${rounded(stress.driftPerMinute)} ± ${rounded(stress.driftHalfWidth)} Pa a minute, ${temperature.toFixed(1)} °C.`
      : `${instrument} with firmware ${firmware}: ${complaints.map(({ sentence }) => sentence).join("; ")}.`,
  };
}

function complaintsOf(
  stress: InstrumentFound["steadiness"][string],
  flags: { readonly clogged: number; readonly clipped: number },
): Complaint[] {
  const complaints: Complaint[] = [];
  if (stress.readings < SELF_TEST_READINGS)
    complaints.push({
      kind: "readings",
      sentence: `only ${stress.readings} of ${SELF_TEST_READINGS} readings came: check the cable`,
    });
  const { noise, offset, driftPerMinute } = selfTestLimits;
  for (const beyond of beyondLimits(stress))
    complaints.push(
      beyond === "noise"
        ? {
            kind: "noise",
            sentence: `the noise is ${stress.noise.toPrecision(2)} Pa (one standard deviation), at most ${noise} is healthy: check shield and ground`,
          }
        : beyond === "drift"
          ? {
              kind: "drift",
              sentence: `the reading drifts ${stress.driftPerMinute.toPrecision(2)} ± ${stress.driftHalfWidth.toPrecision(2)} Pa a minute, at most ${driftPerMinute} is healthy: let the instrument warm up, then test again`,
            }
          : {
              kind: "empty-channel",
              sentence: `the empty channel reads ${stress.mean.toPrecision(2)} Pa, at most ${offset} either way is healthy: rinse the channel, then zero the sensor`,
            },
    );
  if (flags.clogged + flags.clipped > 0)
    complaints.push({
      kind: "flags",
      sentence: `of its readings the instrument itself calls ${flags.clogged} clogged and ${flags.clipped} clipped: rinse the channel, and look at the sensor`,
    });
  return complaints;
}
