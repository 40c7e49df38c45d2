import type { Bench } from "../measure.ts";
import { decodeRates } from "./decode.ts";
import { terminalLatency } from "./latency.ts";
import { reconnects } from "./reconnect.ts";
import { tortured } from "./tortured.ts";

/** The serial side of sensor-reader: framing in memory, noise in memory, delay and hang-ups over real pseudo-terminals. */
export const bench: Bench = async (say) => {
  say("decoding, in turn with serialport's own parsers on the same bytes");
  const decode = await decodeRates();
  say("corrupted frames in memory");
  const torture = tortured();
  say("delay over a pseudo-terminal at the pace of 921,600 baud");
  const latency = await terminalLatency();
  say("unplugging and plugging in again");
  const reconnect = await reconnects();
  return { ...decode, ...torture, ...latency, ...reconnect };
};
