import fc from "fast-check";
import { expect, test } from "vitest";
import { LineDecoder, LINE_BYTES_MAX, nmeaChecksum, nmeaContent } from "./text-line.ts";

function decode(
  chunks: readonly (string | Uint8Array)[],
  checksum: "none" | "nmea" = "none",
  delimiter = "\n",
) {
  const heard: string[] = [];
  const decoder = new LineDecoder(
    { delimiter, checksum },
    { line: (line) => heard.push(line), refused: (why) => heard.push(`!${why}`) },
  );
  for (const chunk of chunks)
    decoder.push(typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk);
  return heard;
}

test("lines come back however the bytes are cut, for any delimiter", () => {
  const word = fc.stringMatching(/^[a-z0-9,.]{1,30}$/);
  fc.assert(
    fc.property(
      fc.array(word),
      fc.array(fc.nat(20)),
      fc.constantFrom("\n", "\r\n", "\r", ";", "<>"),
      (lines, cuts, delimiter) => {
        const bytes = new TextEncoder().encode(lines.map((line) => line + delimiter).join(""));
        const chunks: Uint8Array[] = [];
        let at = 0;
        for (const cut of cuts) chunks.push(bytes.subarray(at, (at += cut)));
        chunks.push(bytes.subarray(at));
        expect(decode(chunks, "none", delimiter)).toEqual(lines);
      },
    ),
  );
});

test("a line that is too long costs one refusal, and the next is read", () => {
  expect(decode(["x".repeat(3 * LINE_BYTES_MAX), "\n1.5\n"])).toEqual(["!long", "1.5"]);
});

test("the checksum of a sentence is checked; noise before it is passed over", () => {
  // A published example of the standard's own sentence format.
  const sentence = "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47";
  expect(nmeaContent(sentence)?.split(",")[0]).toBe("GPGGA");
  expect(decode([`??$${sentence}\r\n`], "nmea")).toHaveLength(1);
  expect(decode([`${sentence.replace("545", "546")}\n`, "plain\n", `${sentence}\n`], "nmea")).toEqual([
    "!checksum",
    "!checksum",
    sentence.slice(1, -3),
  ]);
  expect(nmeaChecksum("")).toBe(0);
});

test("no sentence with a single damaged bit is accepted", () => {
  const content = "WIMDA,29.92,I,1.013,B,20.5,C";
  const sentence = `$${content}*${nmeaChecksum(content).toString(16).toUpperCase().padStart(2, "0")}`;
  for (let bit = 0; bit < 8 * sentence.length; bit++) {
    const bytes = new TextEncoder().encode(sentence);
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const taken = nmeaContent(String.fromCharCode(...bytes));
    // The case of a checksum's digit changes nothing.
    if (taken !== undefined) expect(taken).toBe(content);
  }
});
