import { ComponentHealth } from "@coalmine/contract";
import type { MemoryFiles } from "@coalmine/durable-log";
import type { JsonObject } from "@coalmine/ports";
import { type Site, world } from "./world.ts";

export const points = [
  { channel: "flow", unit: "l/min", function: 3, address: 0, type: "f32", order: "cdab" },
  { channel: "level", unit: "m", function: 3, address: 2, scale: 0.1, validTo: 600 },
  { channel: "gone", unit: "1", function: 3, address: 11 },
];
export const modbusLine = (given: JsonObject = {}): JsonObject => ({
  kind: "modbus",
  link: { kind: "serial", id: "rs485", baudRate: 19_200, parity: "even" },
  framing: "rtu",
  timeoutMs: 100,
  instruments: [
    { id: "meter-1", unit: 1, periodSeconds: 1, points },
    { id: "meter-2", unit: 2, periodSeconds: 1, points },
  ],
  ...given,
});
export const textLine: JsonObject = {
  kind: "text",
  link: { kind: "tcp", host: "weather", port: 4001 },
  id: "weather-1",
  checksum: "nmea",
  silentSeconds: 10,
  sentences: [
    {
      begins: "WIMDA",
      fields: [
        { at: 1, channel: "count", unit: "1" },
        { at: 2, channel: "temperature", unit: "Cel" },
      ],
    },
  ],
};

/** The reader's world on a site with lines, and what came of them. */
export function lineWorld<Given extends Site>(given: Given, configuration: JsonObject, files?: MemoryFiles) {
  const w = world(given, configuration, files);
  let health: Pick<ComponentHealth, "counters" | "gauges"> = { counters: {}, gauges: {} };
  void w.ipc.subscribe("coalmine/health/+", (_topic, message) => {
    if ("json" in message) health = ComponentHealth.parse(message.json);
  });
  const of = (instrument: string, channel: string) =>
    [...w.uploader.durable.values()].filter(
      (point) => point.instrument === instrument && point.channel === channel,
    );
  return { ...w, of, health: () => health };
}
