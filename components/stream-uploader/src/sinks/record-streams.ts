import type { AwsError, Streams } from "@coalmine/ports";
import { classifyAws } from "@coalmine/runtime";
import type { SettingsOf } from "../sink-config.ts";
import { joined, linePackets, type Packet } from "./line-packets.ts";
import type { Parcel, Sink } from "./sink.ts";

/** A service took a part of a request; the code is what it said of the first record that it did not. */
class PartlyTaken extends Error implements AwsError {
  override readonly name = "AwsError";
  readonly code: string;
  /** As a throttled request has it: the rest is sent again. */
  readonly statusCode = 503;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Kinesis and Firehose: requests of many records, of which only those that the service did not take are sent again.
 * At least once: a request whose answer was lost, and a batch that a crash cut short, come again.
 */
export function recordStreamSink(
  parts: { readonly streams: Streams; readonly thing: string },
  settings: SettingsOf<"kinesis" | "firehose">,
): Sink {
  const { kind, requestRecordsMax, requestBytesMax, recordBytesMax } = settings;
  const name = settings.kind === "kinesis" ? settings.streamName : settings.deliveryStreamName;
  // Kinesis counts the partition key as part of the record.
  const keyBytes = (packet: Packet): number => (kind === "kinesis" ? packet.instrument.length : 0);
  const dataBytesMax = recordBytesMax - (kind === "kinesis" ? INSTRUMENT_LENGTH_MAX : 0);

  function request(packets: readonly Packet[], points: number): Parcel {
    let left = packets;
    return {
      points,
      bytes: packets.reduce((sum, packet) => sum + packet.data.length, 0),
      name: `${packets.length} records for ${name}`,
      send: async () => {
        const answers = await parts.streams.put(
          { kind, name },
          left.map(({ data, instrument }) =>
            kind === "kinesis" ? { data, partitionKey: instrument } : { data },
          ),
        );
        const sent = left;
        left = sent.filter((_, at) => answers[at]?.errorCode !== undefined);
        if (left.length === 0) return;
        const first = answers.find(({ errorCode }) => errorCode !== undefined);
        throw new PartlyTaken(
          first?.errorCode ?? "",
          `${name} did not take ${left.length} of ${sent.length} records: ${first?.errorMessage ?? ""}`,
        );
      },
      content: () => joined(left),
      halves: () => {
        const middle = left.length >> 1;
        if (middle === 0) return undefined;
        const half = (some: readonly Packet[]): Parcel =>
          request(
            some,
            some.reduce((sum, packet) => sum + packet.points, 0),
          );
        return [half(left.slice(0, middle)), half(left.slice(middle))];
      },
    };
  }

  return {
    target: name,
    makesObjects: false,
    classify: (failure) => classifyAws(kind, failure),
    async *parcels(_range, records) {
      let packets: Packet[] = [];
      let bytes = 0;
      let points = 0;
      for await (const packet of linePackets(parts.thing, records, dataBytesMax)) {
        const more = packet.data.length + keyBytes(packet);
        if (packets.length > 0 && (packets.length >= requestRecordsMax || bytes + more > requestBytesMax)) {
          yield request(packets, points);
          packets = [];
          bytes = 0;
          points = 0;
        }
        packets.push(packet);
        bytes += more;
        points += packet.points;
      }
      if (packets.length > 0) yield request(packets, points);
    },
  };
}

/** The longest instrument id there is; see `InstrumentId`. */
const INSTRUMENT_LENGTH_MAX = 64;
