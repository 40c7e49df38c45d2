import { SELF_TEST_READINGS, selfTestLimits } from "@coalmine/instrument";
import type { PortResult } from "../journal.ts";
import type { InstrumentRecord } from "./report.ts";

/** A port's self-test with every value it measured. */
export function instrumentRecord(result: PortResult): InstrumentRecord {
  const { port, found, passed, instrument, firmware, sentence } = result;
  const { readings, noise, offset, driftPerMinute, temperature } = result;
  const { noise: noiseLimit, offset: offsetLimit, driftPerMinute: driftLimit } = selfTestLimits;
  const values: InstrumentRecord["values"] = [];
  if (readings !== undefined)
    values.push({ quantity: "readings", value: readings, unit: "1", limit: SELF_TEST_READINGS });
  if (noise !== undefined) values.push({ quantity: "noise", value: noise, unit: "Pa", limit: noiseLimit });
  if (offset !== undefined)
    values.push({ quantity: "offset", value: offset, unit: "Pa", limit: offsetLimit });
  if (driftPerMinute !== undefined)
    values.push({ quantity: "drift", value: driftPerMinute, unit: "Pa/min", limit: driftLimit });
  if (temperature !== undefined) values.push({ quantity: "temperature", value: temperature, unit: "Cel" });
  return {
    port,
    found,
    passed,
    ...(instrument === undefined ? {} : { instrument }),
    ...(firmware === undefined ? {} : { firmware }),
    values,
    sentence,
  };
}
