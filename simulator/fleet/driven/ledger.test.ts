import { expect, test } from "vitest";
import { CountingLedger } from "./ledger.ts";

test("a ledger counts what was measured, by start of the instrument, and before an instant only whole curves", () => {
  const ledger = new CountingLedger();
  const curve = (boot: number, from: number, startMs: number, control: boolean) => {
    for (let point = 0; point < 20; point++)
      ledger.measured({
        instrument: "rheo-1",
        boot,
        sequence: from + point,
        channels: 5,
        control,
        sampledMs: startMs + point * 500,
      });
  };
  curve(1, 0, 0, true);
  curve(1, 20, 300_000, false);
  curve(2, 0, 600_000, true);
  expect(ledger.boots()).toEqual([
    { boot: 1, readings: 40, lastSequence: 39, channels: 5, controlReadings: 20 },
    { boot: 2, readings: 20, lastSequence: 19, channels: 5, controlReadings: 20 },
  ]);
  expect(ledger.boots(300_000)).toEqual([
    { boot: 1, readings: 20, lastSequence: 19, channels: 5, controlReadings: 20 },
    { boot: 2, readings: 0, lastSequence: -1, channels: 5, controlReadings: 0 },
  ]);
});
