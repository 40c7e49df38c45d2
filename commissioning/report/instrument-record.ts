import { SELF_TEST_READINGS } from "@coalmine/instrument";
import type { PortResult } from "../journal.ts";
import type { InstrumentRecord } from "./report.ts";

/** A port's self-test with every value it measured, channel by channel. */
export function instrumentRecord(result: PortResult): InstrumentRecord {
  const { port, found, passed, instrument, sentence } = result;
  const values: InstrumentRecord["values"] = [];
  if (result.found) {
    for (const [channel, steady] of Object.entries(result.steadiness)) {
      const { unit, readings, mean, noise, driftPerMinute, limits } = steady;
      const limited = (limit: number | undefined) => (limit === undefined ? {} : { limit });
      values.push(
        { quantity: "readings", channel, value: readings, unit: "1", limit: SELF_TEST_READINGS },
        { quantity: "noise", channel, value: noise, unit, ...limited(limits?.noise) },
        { quantity: "offset", channel, value: mean, unit, ...limited(limits?.offset) },
        {
          quantity: "drift",
          channel,
          value: driftPerMinute,
          unit: `${unit}/min`,
          ...limited(limits?.driftPerMinute),
        },
      );
    }
    if (result.temperature !== undefined)
      values.push({ quantity: "temperature", value: result.temperature, unit: "Cel" });
  }
  return {
    port,
    found,
    passed,
    ...(instrument === undefined ? {} : { instrument }),
    ...(result.found && result.firmware !== undefined ? { firmware: result.firmware } : {}),
    values,
    sentence,
  };
}
