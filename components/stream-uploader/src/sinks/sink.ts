import type { PointColumns } from "../batch-record.ts";
import type { DeliveryFailure } from "@coalmine/runtime";

/** What one upload carries: these records of one log, which `epoch` names among all logs of all devices. */
export interface Range {
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
}

/** What goes in one request, or is not sent at all. */
export interface Parcel {
  readonly points: number;
  /** Of the request's body, about. */
  readonly bytes: number;
  /** What it is, in a log line. */
  readonly name: string;
  /** One request. Where a service took a part only, it rejects, and the next call sends the rest. */
  send(): Promise<void>;
  /** What is kept aside of it where it is refused for good. */
  content(): Uint8Array;
  /** In halves, where a part may be taken though the whole is refused; undefined for what cannot be parted. */
  halves(): readonly [Parcel, Parcel] | undefined;
}

/** A place that points go to. It makes parcels; sending them again and again is not its matter. */
export interface Sink {
  /** What a person has to look at where it refuses: a bucket, a stream, a topic, a folder. */
  readonly target: string;
  /** S3 objects are counted by name. */
  readonly makesObjects: boolean;
  /** The parcels of a range, made while they are sent. The same points make the same parcels. */
  parcels(range: Range, records: AsyncIterable<PointColumns>): AsyncIterable<Parcel>;
  classify(failure: unknown): DeliveryFailure;
}
