import type { Ipc } from "@coalmine/ports";
import type { SettingsOf } from "../sink-config.ts";
import { classifyIpc } from "../sink-failure.ts";
import { linePackets } from "./line-packets.ts";
import type { Sink } from "./sink.ts";

/**
 * IoT Core over the core device's own connection, QoS 1. Sent means taken by the core device's spooler, which may drop
 * it while the device is offline for long: for a live view, not for the record.
 */
export function iotCoreSink(
  parts: { readonly ipc: Pick<Ipc, "publishToIotCore">; readonly thing: string },
  settings: SettingsOf<"iot-core">,
): Sink {
  const { thing, ipc } = parts;
  const topic = settings.topic.replaceAll("{thing}", thing);
  return {
    target: topic,
    makesObjects: false,
    classify: classifyIpc,
    async *parcels(_range, records) {
      for await (const { data, points } of linePackets(thing, records, settings.payloadBytesMax))
        yield {
          points,
          bytes: data.length,
          name: `a message on ${topic}`,
          send: () => ipc.publishToIotCore(topic, 1, data),
          content: () => data,
          halves: () => undefined,
        };
    },
  };
}
