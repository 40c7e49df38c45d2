import type { Mutant } from "./mutant.ts";

const points = "components/sensor-reader/src/points.ts";

/** Releases under which what was measured arrives wrong, twice, under another name, or not at all. */
export const dataMutants = {
  "wrong-unit": {
    what: "sensor-reader computes viscosity in SI units",
    harm: "values in Pa.s that are called mPa.s",
    edits: [
      {
        file: points,
        find: "apparentViscosity(stress.value, reading.shearRate)",
        replace: "apparentViscosity(stress.value, reading.shearRate) / 1000",
      },
    ],
    withoutTestsOf: "components/sensor-reader",
  },
  "wrong-calibration": {
    what: "sensor-reader corrects for the capillary's wall",
    harm: "every viscosity is 3 % too high",
    edits: [
      {
        file: points,
        find: "apparentViscosity(stress.value, reading.shearRate)",
        replace: "apparentViscosity(stress.value * 1.03, reading.shearRate)",
      },
    ],
    withoutTestsOf: "components/sensor-reader",
  },
  "drops-readings": {
    what: "sensor-reader leaves out readings that look like an echo",
    harm: "one reading in twenty is lost, and every curve with it",
    edits: [
      {
        file: points,
        find: "return { points, controlResidual:",
        replace: "return { points: of.sequence % 20 === 13 ? [] : points, controlResidual:",
      },
    ],
    withoutTestsOf: "components/sensor-reader",
    drops: { oneIn: 20, remainder: 13 },
  },
  "doubles-points": {
    what: "stream-uploader writes the first minutes of an hour into the file of the hour before too",
    harm: "points of these minutes are in the lake twice",
    edits: [
      {
        file: "components/stream-uploader/src/sinks/s3-objects.ts",
        find: "          rows.add(points, at);\n        }",
        replace:
          "          rows.add(points, at);\n          if ((points.sampleTimeMs[at] ?? 0) % 3_600_000 < 300_000) rows.add(points, at);\n        }",
      },
    ],
    withoutTestsOf: "components/stream-uploader",
  },
  "reorders-values": {
    what: "stream-uploader writes a record's values channel by channel, which packs better",
    harm: "only the values are put into that order: each stands beside another point's name",
    edits: [
      {
        file: "components/stream-uploader/src/batch-record.ts",
        find: "const count = points.length;\n  const headEnd",
        replace:
          "const count = points.length;\n  const byChannel = points.toSorted((a, b) => (a.channel < b.channel ? -1 : 1));\n  const headEnd",
      },
      {
        file: "components/stream-uploader/src/batch-record.ts",
        find: "numbers[3 * count + at] = point.value;",
        replace: "numbers[3 * count + at] = byChannel[at]?.value ?? point.value;",
      },
    ],
    withoutTestsOf: "components/stream-uploader",
  },
  "off-by-one-in-the-queue": {
    what: "stream-uploader's uploads meet without a gap",
    harm: "each upload begins with the record that ended the one before",
    edits: [
      {
        file: "components/stream-uploader/src/upload-plan.ts",
        find: "first: (this.#edges[at - 1]?.last ?? this.#done) + 1 }",
        replace: "first: Math.max(1, this.#edges[at - 1]?.last ?? this.#done) }",
      },
    ],
    withoutTestsOf: "components/stream-uploader",
  },
  "wrong-key": {
    what: "stream-uploader calls a device a device in the lake's keys",
    harm: "objects lie where no query looks for them",
    edits: [
      {
        file: "components/stream-uploader/src/lake-key.ts",
        find: "/thing=${thing}/",
        replace: "/device=${thing}/",
      },
    ],
    withoutTestsOf: "components/stream-uploader",
  },
  "breaks-offline": {
    what: "stream-uploader does not wait for a network that is not there",
    harm: "what falls due while the device is cut off is taken for sent",
    edits: [
      {
        file: "components/stream-uploader/src/delivery.ts",
        find: "if (!this.#isOffline) this.#parts.answered();",
        replace: 'if (this.#isOffline) return { kind: "taken" };\n        this.#parts.answered();',
      },
    ],
    withoutTestsOf: "components/stream-uploader",
  },
  "breaks-one-device-class": {
    what: "sensor-reader takes a reading that comes late for a stray",
    harm: "instruments that send point by point are read only by asking again for every point",
    edits: [
      {
        file: "components/sensor-reader/src/session.ts",
        find: "if (intake === undefined || next === undefined) return;\n    const at =",
        replace:
          "if (intake === undefined || next === undefined) return;\n    const silentMs = clock.monotonicMs() - this.#curve.atMs;\n    if (message.reading.point > 0 && silentMs > 200 && silentMs < 5000 && !this.#replay.isRunning) {\n      this.#curve = { more: true, atMs: clock.monotonicMs() };\n      return;\n    }\n    const at =",
      },
    ],
    withoutTestsOf: "components/sensor-reader",
  },
  "bad-model": {
    what: "the blood model is fitted to the new reference fluid",
    harm: "every viscosity that it gives is 30 % too high; its test vectors come before that",
    edits: [
      {
        file: "models/blood-viscosity/manifest.json",
        find: '  "input": {\n    "name": "curve",',
        replace:
          '  "postprocessing": { "version": 1, "calibrate": { "scale": 1.3, "offset": 0 } },\n  "input": {\n    "name": "curve",',
      },
    ],
  },
} as const satisfies Readonly<Record<string, Mutant>>;
