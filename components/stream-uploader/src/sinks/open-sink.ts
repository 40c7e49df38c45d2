import type { Crypto, Files, Ipc, Objects, Streams } from "@coalmine/ports";
import type { SinkSettings } from "../sink-config.ts";
import { iotCoreSink } from "./iot-core.ts";
import { localFilesSink } from "./local-files.ts";
import { recordStreamSink } from "./record-streams.ts";
import { s3Sink } from "./s3-objects.ts";
import type { Sink } from "./sink.ts";

export interface SinkParts {
  readonly objects: Objects;
  readonly streams: Streams;
  readonly ipc: Pick<Ipc, "publishToIotCore">;
  readonly files: Files;
  readonly crypto: Crypto;
  readonly thing: string;
}

export function openSink(parts: SinkParts, name: string, settings: SinkSettings): Sink {
  if (settings.kind === "s3-parquet" || settings.kind === "s3-json-lines") return s3Sink(parts, settings);
  if (settings.kind === "kinesis" || settings.kind === "firehose") return recordStreamSink(parts, settings);
  if (settings.kind === "iot-core") return iotCoreSink(parts, settings);
  return localFilesSink({ ...parts, name }, settings);
}
