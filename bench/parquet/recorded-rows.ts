import { InstrumentId, type Measurement } from "@coalmine/contract";
import { recordedStormer, recording } from "../../simulator/instruments/recordings.ts";

/** A recorded signal as the points that a device would upload of it. */
export interface RecordedSignal {
  readonly name: string;
  readonly points: readonly Measurement[];
}

const START_MS = Date.UTC(2026, 2, 1, 8);
const shared = {
  boot: 3,
  sampleTimeUncertaintyMs: 0.5,
  quality: { level: "good" },
  calibrationId: "cal-2026-02",
} as const;

/** Samples of several channels at one rate, numbered as one instrument numbers them. */
function signal(
  name: string,
  instrument: string,
  periodMs: number,
  channels: readonly {
    readonly channel: string;
    readonly unit: string;
    readonly values: readonly number[];
  }[],
): RecordedSignal {
  const id = InstrumentId.parse(instrument);
  const length = Math.min(...channels.map(({ values }) => values.length));
  const points: Measurement[] = [];
  for (let sequence = 0; sequence < length; sequence++)
    for (const { channel, unit, values } of channels)
      points.push({
        ...shared,
        instrument: id,
        sequence,
        channel,
        sampleTimeMs: START_MS + sequence * periodMs,
        value: values[sequence] ?? 0,
        unit,
      });
  return { name, points };
}

/** A day of a viscometer that runs through its calibration every five minutes, as the simulated instrument replays it. */
const CURVES = 288;
const CURVE_MS = 300_000;
const POINT_MS = 10_000;

function viscometer(): RecordedSignal {
  const rows = recordedStormer();
  const id = InstrumentId.parse("stormer-1");
  const points: Measurement[] = [];
  for (let curve = 0; curve < CURVES; curve++)
    for (const [at, { viscosity, weightGrams, timeSeconds }] of rows.entries())
      for (const [channel, value, unit] of [
        ["apparent-viscosity", viscosity, "mPa.s"],
        ["weight", weightGrams, "g"],
        ["revolution-time", timeSeconds, "s"],
      ] as const)
        points.push({
          ...shared,
          instrument: id,
          sequence: curve * rows.length + at,
          channel,
          sampleTimeMs: START_MS + curve * CURVE_MS + at * POINT_MS,
          value,
          unit,
        });
  return { name: "viscometer", points };
}

/** The recorded signals that are long enough to be a file of the lake; the other one is 32 rows of people. */
export function recordedSignals(): readonly RecordedSignal[] {
  const pulse = recording("ppg-100hz").map(([value]) => Number(value));
  const [head = [], ...walk] = recording("daphnet-accelerometer-64hz");
  const axes = (place: string) =>
    head.flatMap((column, at) =>
      column.startsWith(place)
        ? [
            {
              channel: column.replaceAll("_", "-"),
              unit: "m[g]",
              values: walk.map((row) => Number(row[at])),
            },
          ]
        : [],
    );
  return [
    signal("pulse", "ppg-1", 10, [{ channel: "pulse", unit: "1", values: pulse }]),
    signal("ankle", "imu-ankle", 1000 / 64, axes("ankle")),
    signal("leg", "imu-leg", 1000 / 64, axes("leg")),
    signal("trunk", "imu-trunk", 1000 / 64, axes("trunk")),
    viscometer(),
  ];
}
