import { cobs, encodeFrame, FrameDecoder, slip, type Framing } from "@coalmine/instrument";
import { DelimiterParser, SlipDecoder } from "serialport";
import { atLeast, inTurn, median, ratio, type Metrics } from "../measure.ts";

/** Start bit, eight bits, stop bit. */
const LINE_BYTES_PER_SECOND = 921_600 / 10;
const FRAMES = 2000;
/** As a driver hands bytes over. */
const CHUNK_BYTES = 512;
const ROUND_MS = 300;

function line(framing: Framing): Uint8Array {
  const frames = Array.from({ length: FRAMES }, (_, sequence) =>
    encodeFrame(
      {
        type: 2,
        sequence,
        boot: 1,
        deviceUs: sequence * 1e6,
        payload: Uint8Array.from({ length: 24 }, (__, at) => (at * 37 + sequence) & 0xff),
      },
      framing,
    ),
  );
  return Uint8Array.from(frames.flatMap((frame) => [...frame]));
}

/** Frames a second, for as long as a round takes. */
function rate(bytes: Uint8Array, push: (chunk: Buffer) => void): number {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
    chunks.push(Buffer.from(bytes.subarray(at, at + CHUNK_BYTES)));
  const started = performance.now();
  let rounds = 0;
  for (; performance.now() - started < ROUND_MS; rounds++) for (const chunk of chunks) push(chunk);
  return (1000 * rounds * FRAMES) / (performance.now() - started);
}

function ours(bytes: Uint8Array, framing: Framing): number {
  let frames = 0;
  const decoder = new FrameDecoder((decoded) => {
    if (decoded.kind === "frame") frames++;
  }, framing);
  const perSecond = rate(bytes, (chunk) => decoder.push(chunk));
  if (frames === 0 || frames % FRAMES !== 0) throw new Error(`the decoder gave ${frames} frames`);
  return perSecond;
}

/** They cut, and check nothing. */
function theirs(bytes: Uint8Array, parser: DelimiterParser | SlipDecoder): number {
  let packets = 0;
  parser.on("data", () => packets++);
  const perSecond = rate(bytes, (chunk) => parser.write(chunk));
  if (packets === 0) throw new Error("the parser gave no packets");
  return perSecond;
}

export async function decodeRates(): Promise<Metrics> {
  const inCobs = line(cobs);
  const inSlip = line(slip);
  const measured = await inTurn({
    cobs: () => ours(inCobs, cobs),
    delimiter: () => theirs(inCobs, new DelimiterParser({ delimiter: [0] })),
    slip: () => ours(inSlip, slip),
    slipParser: () => theirs(inSlip, new SlipDecoder()),
  });
  const lineRate = LINE_BYTES_PER_SECOND / (inCobs.length / FRAMES);
  return {
    cobsDecoded: { value: median(measured.cobs), unit: "frames/s" },
    slipDecoded: { value: median(measured.slip), unit: "frames/s" },
    lineRate921600: { value: lineRate, unit: "frames/s" },
    serialportDelimiter: { value: median(measured.delimiter), unit: "packets/s" },
    serialportSlip: { value: median(measured.slipParser), unit: "packets/s" },
    cobsToLineRate: atLeast(median(measured.cobs) / lineRate, "x", 1),
    slipToLineRate: atLeast(median(measured.slip) / lineRate, "x", 1),
    cobsToSerialportDelimiter: { value: ratio(measured.cobs, measured.delimiter), unit: "x" },
    slipToSerialportSlip: { value: ratio(measured.slip, measured.slipParser), unit: "x" },
  };
}
