import { modbusSelfTest, Planner } from "@coalmine/modbus";
import type { Clock, Links } from "@coalmine/ports";
import { type LineConfig, mannersOf, type ModbusInstrument, type ModbusLine, pointItem } from "./lines.ts";
import { textSelfTest } from "./text-self-test.ts";

export interface LineSelfTest {
  readonly instrument: string;
  readonly found: boolean;
  readonly passed: boolean;
  /** What was found; what to do, where it did not pass. */
  readonly sentence: string;
}

/** Tests each instrument of a line, one after the other, on a link of its own. Rejects with the `LinkError` of one that does not open. */
export async function lineSelfTest(line: LineConfig, links: Links, clock: Clock): Promise<LineSelfTest[]> {
  if (line.kind === "text") {
    const test = await textSelfTest(await links.open(line.link), clock, line);
    const { found, passed, plausible, seconds, advice } = test;
    const sentence = passed ? `${line.id}: ${plausible} plausible lines in ${seconds.toFixed(1)} s.` : advice;
    return [{ instrument: line.id, found, passed, sentence }];
  }
  const tests: LineSelfTest[] = [];
  for (const instrument of line.instruments) tests.push(await testSlave(line, instrument, links, clock));
  return tests;
}

async function testSlave(
  line: ModbusLine,
  instrument: ModbusInstrument,
  links: Links,
  clock: Clock,
): Promise<LineSelfTest> {
  // Without gaps: what is refused is something that somebody wants.
  const { blocks } = new Planner(instrument.points.map(pointItem), { ...instrument, gapMax: 0 });
  const test = await modbusSelfTest(await links.open(line.link), clock, {
    framing: line.framing,
    manners: mannersOf(line),
    requests: blocks.map((block) => ({ unit: instrument.unit, ...block })),
  });
  const { found, passed, answered, asked, slowestMs, advice } = test;
  const sentence = passed
    ? `${instrument.id}, unit ${instrument.unit}: ${answered} of ${asked} requests answered, the slowest in ${Math.round(slowestMs)} ms.`
    : `${instrument.id}, unit ${instrument.unit}: ${advice}`;
  return { instrument: instrument.id, found, passed, sentence };
}
