import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { crc16 } from "@coalmine/modbus/crc16";
import { hostedLinks } from "./hosted-links.ts";
import { lineInstrument, type LineInstrumentKind } from "./line-instruments.ts";
import { recordedGait, recordedPulse } from "./recordings.ts";

async function heard(kind: LineInstrumentKind, seconds: number, ask?: Uint8Array) {
  const clock = new DrivenClock(0, () => new Promise((done) => setImmediate(done)));
  const instrument = lineInstrument(kind, { id: "line-1", clock, random: new SeededRandom(kind) });
  const link = await hostedLinks([instrument]).open({ kind: "serial", id: "line-1", baudRate: 115_200 });
  const bytes: number[] = [];
  link.onData((chunk) => bytes.push(...chunk));
  instrument.start();
  await clock.runUntil(1000 * seconds);
  if (ask !== undefined) await link.write(ask);
  await clock.runUntil(1000 * seconds + 1);
  instrument.stop();
  await clock.runUntil(1000 * seconds + 5000);
  return Uint8Array.from(bytes);
}
const linesOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd().split("\r\n");

test.each([
  ["pulse", recordedPulse(), 100],
  ["gait", recordedGait(), 64],
] as const)(
  "a replay of %s gives its samples in order, at the rate of the recording",
  async (kind, signal, hertz) => {
    const lines = linesOf(await heard(kind, 2));
    expect(lines).toHaveLength(2 * hertz);
    expect(lines.map((line) => line.replace(/^\$\w+,\d+,|\*.*$/g, ""))).toEqual(
      signal.samples.slice(0, 2 * hertz).map((sample) => sample.join(",")),
    );
  },
);

test("a replay begins again at its end", async () => {
  const { samples } = recordedPulse();
  const lines = linesOf(await heard("pulse", 25));
  expect(lines[samples.length]).toContain(`,${samples.length},${samples[0]?.join(",")}*`);
});

test("a bridge sends fifty accelerations a second, in m/s²", async () => {
  const values = linesOf(await heard("bridge", 4)).map((line) =>
    Number(/^\$PBRDG,\d+,(-?[\d.]+)\*/.exec(line)?.[1]),
  );
  expect(values).toHaveLength(200);
  expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.005);
  expect(Math.max(...values.map(Math.abs))).toBeLessThan(0.5);
});

test("a flow meter answers by Modbus with flow, volume and temperature of one measurement", async () => {
  const request = [1, 4, 0, 0, 0, 7];
  const check = crc16(Uint8Array.from(request), 0, 6);
  const answer = await heard("flow-meter", 60, Uint8Array.of(...request, check & 0xff, check >> 8));
  expect([...answer.slice(0, 3)]).toEqual([1, 4, 14]);
  const view = new DataView(answer.buffer);
  const flow = view.getFloat32(3);
  expect(flow).toBeGreaterThan(1);
  expect(view.getFloat32(7)).toBeCloseTo(flow / 60, 2);
  expect(view.getFloat32(11)).toBeCloseTo(12, 5);
  expect(view.getUint16(15)).toBe(1);
});
