/** Serial framing, the instrument protocol, self-test and calibration. Runs where only the ports exist. */
export * from "./frame.ts";
export * from "./framing.ts";
export * from "./frame-decoder.ts";
export * from "./message.ts";
export * from "./read-message.ts";
export * from "./write-message.ts";
export * from "./connection.ts";
export * from "./calibration.ts";
export * from "./rheometer-type.ts";
export * from "./self-test/framed-self-test.ts";
export * from "./self-test/steadiness.ts";
export * from "./ucum.ts";
export * from "./channel.ts";
export * from "./text-line.ts";
export * from "./text-sentence.ts";
