import { encodeFrame, FrameDecoder, type Frame } from "@coalmine/instrument";
import { SeededRandom } from "@coalmine/runtime";
import { mangled } from "../../simulator/instruments/noisy-line.ts";
import { atMost, type Metrics } from "../measure.ts";

const FRAMES = 300_000;
const FLIPS = [1e-3, 1e-4, 1e-5];

const frame = (sequence: number): Frame => ({
  type: 2,
  sequence,
  boot: 3,
  deviceUs: 1e9 + sequence,
  payload: Uint8Array.from({ length: 24 }, (_, at) => (at * 37 + sequence) & 0xff),
});

/** Frames through a noisy line in memory: what was accepted that was never sent, and what damage cost beside itself. */
export function tortured(): Metrics {
  const random = new SeededRandom("tortured");
  let at = 0;
  let damaged = 0;
  let falseAccepts = 0;
  let lostIntact = 0;
  let lostInRow = 0;
  let resyncMax = 0;
  let heard = false;
  const decoder = new FrameDecoder((decoded) => {
    if (decoded.kind !== "frame") return;
    const sent = frame(decoded.frame.sequence);
    const isSame =
      decoded.frame.sequence <= at &&
      decoded.frame.boot === sent.boot &&
      decoded.frame.deviceUs === sent.deviceUs &&
      Buffer.compare(decoded.frame.payload, sent.payload) === 0;
    if (!isSame) falseAccepts++;
    if (decoded.frame.sequence === at) heard = true;
  });
  for (; at < FRAMES; at++) {
    const bytes = encodeFrame(frame(at));
    const noise = {
      flipPerBit: FLIPS[at % FLIPS.length] ?? 0,
      dropPerByte: 1e-4,
      garbagePerWrite: 0.02,
      bootTextPerWrite: 0.01,
      splitPerWrite: 0,
    };
    const sent = mangled(bytes, random, noise);
    // Whole at its end: whatever came before it, it must be heard.
    const intact = Buffer.from(sent.buffer, sent.byteOffset, sent.length).lastIndexOf(bytes);
    const isIntact = intact >= 0 && intact + bytes.length === sent.length;
    heard = false;
    decoder.push(sent);
    if (!isIntact) {
      damaged++;
      lostInRow = 0;
    } else if (heard) lostInRow = 0;
    else {
      lostIntact++;
      resyncMax = Math.max(resyncMax, ++lostInRow);
    }
  }
  return {
    framesSent: { value: FRAMES, unit: "frames" },
    framesDamaged: { value: damaged, unit: "frames" },
    falseAccepts: atMost(falseAccepts, "frames", 0),
    intactFramesLost: { value: lostIntact, unit: "frames" },
    resyncMax: atMost(resyncMax, "frames", 1),
  };
}
