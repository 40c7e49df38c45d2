/** So many bits of ours are one of the instrument's: a character, start and stop bit included, is one of its bits. */
export const MIRROR_RATIO = 10;
/** The instrument's bits of an idle line before and after, so that it sees the first start bit and the last stop bit. */
const IDLE_BITS = 24;

/**
 * Bytes that arrive as `bytes` over a line whose two wires are swapped, when they are sent without parity and
 * `MIRROR_RATIO` times as fast as the instrument listens. A start bit of ours is low and a stop bit high whatever is
 * sent, so at the same rate no line can be drawn at will; ten times as fast those two lie at the edges of the
 * instrument's bits, away from their middles, which is where it looks.
 */
export function mirrored(bytes: Uint8Array, parity: "none" | "even" | "odd" = "none"): Uint8Array {
  const idle = Array.from({ length: IDLE_BITS }, () => true);
  const wanted = [...idle];
  for (const byte of bytes) {
    const data = Array.from({ length: 8 }, (_, index) => ((byte >> index) & 1) === 1);
    const isOdd = data.filter(Boolean).length % 2 === 1;
    wanted.push(false, ...data, ...(parity === "none" ? [] : [isOdd === (parity === "even")]), true);
  }
  return Uint8Array.from([...wanted, ...idle], (mark) => (mark ? 0 : 0xff));
}

/** Of what came: the bytes that must be odd, and those that must be text once they are turned round. */
const ODD_SHARE = 0.8;
const TEXT_SHARE = 0.9;
const LINES_MIN = 2;

/**
 * What ASCII text was before its line turned it upside down. Its highest bit, which is 0, and the stop bit then make an
 * edge in every character, and a receiver stays on it once it has taken it for a start bit; the byte it reads is 1, then
 * the seven lower bits turned round. The first characters of a line come before that, and are wrong.
 */
export function unmirrored(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => ~(byte >> 1) & 0x7f);
}

/** Whether this is lines of text upside down: nearly all odd, nearly all readable when it is turned round, and lines. */
export function isMirroredText(heard: Uint8Array, delimiter: string): boolean {
  // A break between lines is a zero, and the edge of the last stop bit all ones.
  const bytes = heard.filter((byte) => byte !== 0 && byte !== 0xff);
  const text = unmirrored(bytes);
  const odd = bytes.filter((byte) => byte % 2 === 1).length;
  const readable = text.filter(
    (byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d,
  ).length;
  const end = delimiter.charCodeAt(delimiter.length - 1);
  return (
    odd >= ODD_SHARE * bytes.length &&
    readable >= TEXT_SHARE * bytes.length &&
    text.filter((byte) => byte === end).length >= LINES_MIN
  );
}
