import type { Complaint, InstrumentFound, InstrumentNotFound, SelfTestOutcome } from "@coalmine/contract";
import { modbusSelfTest, Planner, readNumber, type ModbusSelfTest } from "@coalmine/modbus";
import type { Clock, Links } from "@coalmine/ports";
import { judge } from "../channel.ts";
import {
  type LineConfig,
  mannersOf,
  type ModbusInstrument,
  type ModbusLine,
  pointItem,
  type TextLine,
} from "../lines.ts";
import { diagnose } from "./diagnosis.ts";
import { modbusDialect, textDialect } from "./dialect.ts";
import { PortGone } from "./heard-port.ts";
import { notFound, notOpened } from "./opening.ts";
import { steadiness, type Timed } from "./steadiness.ts";
import { textSelfTest } from "./text-self-test.ts";

interface At {
  readonly links: Links;
  readonly clock: Clock;
}

/** A slave has this long to answer while its settings are looked for, whatever its line is configured with. */
const ANSWER_MS_MAX = 1000;

/**
 * Tests each instrument of a line, one after the other, on a link of its own; where none of them answers, finds out why.
 * Rejects only with what is none of the port's failures.
 */
export async function lineSelfTest(line: LineConfig, at: At): Promise<SelfTestOutcome[]> {
  if (line.kind === "text") return [await testSender(line, at)];
  const tests: SelfTestOutcome[] = [];
  for (const instrument of line.instruments) tests.push(await testSlave(line, instrument, at));
  const [first] = line.instruments;
  // A neighbour that answers has shown that wires and rate are right: then it is this one's unit or power.
  const allSilent = tests.every((test) => !test.found && test.cause.kind === "silent");
  if (line.link.kind !== "serial" || first === undefined || !allSilent) return tests;
  const cause = await diagnose({
    ...at,
    target: line.link,
    dialect: modbusDialect(requestsOf(first)[0]),
    answerMs: Math.min(ANSWER_MS_MAX, line.timeoutMs),
  });
  return cause === undefined
    ? tests
    : line.instruments.map(({ id, unit }) => withUnit(notFound(cause, id), unit));
}

async function testSlave(line: ModbusLine, instrument: ModbusInstrument, at: At): Promise<SelfTestOutcome> {
  const { id, unit, points } = instrument;
  let wasOpen = false;
  try {
    const link = await at.links.open(line.link);
    wasOpen = true;
    const test = await modbusSelfTest(link, at.clock, {
      framing: line.framing,
      manners: mannersOf(line),
      requests: requestsOf(instrument),
    });
    if (test.ended !== undefined) throw new PortGone(test.ended);
    if (!test.found)
      return {
        ...notFound({ kind: "silent", echo: false, askedMirrored: false }, id),
        sentence: `${id}, unit ${unit}: nothing answers: check the instrument's power, its cable, and that its unit is ${unit}.`,
      };
    const { channels, flags } = valuesOf(points.map(pointItem), test);
    const complaints: Complaint[] = test.complaints.map((sentence) => ({ kind: "refused", sentence }));
    const bad = (flags["clipped"] ?? 0) + (flags["instrument"] ?? 0);
    if (bad > 0)
      complaints.push({
        kind: "flags",
        sentence: `${bad} values are clipped or no numbers: look at the sensor`,
      });
    const { answered, asked, slowestMs } = test;
    return {
      found: true,
      passed: complaints.length === 0,
      protocol: line.framing === "rtu" ? "modbus-rtu" : "modbus-tcp",
      instrument: id,
      steadiness: channels,
      flags,
      complaints,
      sentence:
        complaints.length === 0
          ? `${id}, unit ${unit}: ${answered} of ${asked} requests answered, the slowest in ${Math.round(slowestMs)} ms.`
          : `${id}, unit ${unit}: ${complaints.map(({ sentence }) => sentence).join("; ")}.`,
    };
  } catch (failure) {
    return notOpened(failure, id, wasOpen, line.link);
  }
}

/** Without gaps: what is refused is something that somebody wants. */
function requestsOf(instrument: ModbusInstrument) {
  const { blocks } = new Planner(instrument.points.map(pointItem), { ...instrument, gapMax: 0 });
  return blocks.map((block) => ({ unit: instrument.unit, ...block }));
}

function valuesOf(
  items: readonly ReturnType<typeof pointItem>[],
  test: ModbusSelfTest,
): { channels: InstrumentFound["steadiness"]; flags: Record<string, number> } {
  const firstMs = test.values[0]?.heardMs ?? 0;
  const flags: Record<string, number> = {};
  const channels: InstrumentFound["steadiness"] = {};
  for (const { point, address, function: code, count } of items) {
    const values: Timed[] = [];
    for (const { request, data, heardMs } of test.values) {
      const offset = address - request.address;
      if (request.function !== code || offset < 0 || offset + count > request.count) continue;
      const { value, quality } = judge(point, readNumber(data, offset, point.type, point.order), 0);
      if (quality.level !== "good") flags[quality.cause] = (flags[quality.cause] ?? 0) + 1;
      if (quality.level !== "bad") values.push([(heardMs - firstMs) / 60_000, value]);
    }
    channels[point.channel] = steadiness(values, point.unit);
  }
  return { channels, flags };
}

async function testSender(line: TextLine, at: At): Promise<SelfTestOutcome> {
  const { id, link, selfTest } = line;
  let wasOpen = false;
  try {
    const opened = await at.links.open(link);
    wasOpen = true;
    const test = await textSelfTest(opened, at.clock, line);
    if (test.ended !== undefined) throw new PortGone(test.ended);
    if (test.plausible === 0 && link.kind === "serial") {
      const question = selfTest.kind === "ask" ? { question: new TextEncoder().encode(selfTest.send) } : {};
      const cause = await diagnose({
        ...at,
        target: link,
        dialect: textDialect({ ...line, ...question }),
        listenMs: 1000 * selfTest.withinSeconds,
        delimiter: line.delimiter,
      });
      if (cause !== undefined && cause.kind !== "silent" && !(test.found && cause.kind === "garbled"))
        return notFound(cause, id);
    }
    const sentence = `${id}: ${test.passed ? `${test.plausible} plausible lines in ${test.seconds.toFixed(1)} s.` : test.advice}`;
    if (!test.found)
      return { ...notFound({ kind: "silent", echo: false, askedMirrored: false }, id), sentence };
    return {
      found: true,
      passed: test.passed,
      protocol: "text",
      instrument: id,
      steadiness: Object.fromEntries(
        [...test.readings].map(([channel, { unit, values }]) => [channel, steadiness(values, unit)]),
      ),
      flags: test.flags,
      complaints: test.passed ? [] : [{ kind: "implausible", sentence: test.advice }],
      sentence,
    };
  } catch (failure) {
    return notOpened(failure, id, wasOpen, link);
  }
}

/** Of a slave that says nothing its number may be wrong as well. */
function withUnit(outcome: InstrumentNotFound, unit: number): InstrumentNotFound {
  return outcome.cause.kind === "silent"
    ? { ...outcome, sentence: `${outcome.sentence.slice(0, -1)}, and check that its unit is ${unit}.` }
    : outcome;
}
