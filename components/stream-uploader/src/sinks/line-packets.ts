import type { PointColumns } from "../batch-record.ts";
import { pointLine } from "../point-line.ts";

/** Lines of JSON of points of one instrument: what a stream takes as one record, and MQTT as one message. */
export interface Packet {
  readonly instrument: string;
  readonly data: Uint8Array;
  readonly points: number;
}

/** Packs the points of each log record, in order, into packets of at most `bytesMax`. A line alone may be longer. */
export async function* linePackets(
  thing: string,
  records: AsyncIterable<PointColumns>,
  bytesMax: number,
): AsyncGenerator<Packet, void> {
  const text = new TextEncoder();
  for await (const points of records) {
    const { instrument } = points;
    let lines: Uint8Array[] = [];
    let bytes = 0;
    const packet = (): Packet => {
      const data = new Uint8Array(bytes);
      let position = 0;
      for (const line of lines) {
        data.set(line, position);
        position += line.length;
      }
      const made = { instrument, data, points: lines.length };
      lines = [];
      bytes = 0;
      return made;
    };
    for (let at = 0; at < points.sequence.length; at++) {
      const line = text.encode(`${pointLine(thing, points, at)}\n`);
      if (bytes + line.length > bytesMax && lines.length > 0) yield packet();
      lines.push(line);
      bytes += line.length;
    }
    if (lines.length > 0) yield packet();
  }
}

/** One after the other, as one piece. */
export function joined(packets: readonly Pick<Packet, "data">[]): Uint8Array {
  const bytes = new Uint8Array(packets.reduce((sum, { data }) => sum + data.length, 0));
  let position = 0;
  for (const { data } of packets) {
    bytes.set(data, position);
    position += data.length;
  }
  return bytes;
}
