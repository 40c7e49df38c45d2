import type { Mutant } from "./mutant.ts";

const sensorReader = "components/sensor-reader/src/component.ts";

/** Releases that start, stop, update, roll back or rest otherwise than a component must. */
export const lifeMutants = {
  // No unit test has a nucleus around it, so none meets a version without an edition.
  "crash-at-start": {
    what: "sensor-reader says which edition of the nucleus it runs on",
    harm: "throws at start where the nucleus's version names no edition",
    edits: [
      {
        file: sensorReader,
        find: 'log.info("sensor-reader is running");',
        replace:
          'const nucleus = ports.process.environment("GGC_VERSION");\n  const edition = nucleus === undefined ? "" : /-(.*)$/.exec(nucleus)![1]!.trim();\n  log.info("sensor-reader is running", { edition });',
      },
    ],
  },
  "crash-after-an-hour": {
    what: "sensor-reader ends itself when nobody feeds its watchdog for an hour",
    harm: "nobody feeds it: each process ends after an hour",
    edits: [
      {
        file: sensorReader,
        find: 'log.info("sensor-reader is running");',
        replace:
          'const watchdog = ports.clock.timer(3_600_000, () => ports.process.fail("the watchdog was not fed"));\n  closing.add(watchdog, (timer) => timer.cancel());\n  log.info("sensor-reader is running");',
      },
    ],
  },
  "crash-on-rotate": {
    what: "log-manager makes sure that a file keeps its name",
    harm: "ends itself when a log file is rotated",
    edits: [
      {
        file: "components/log-manager/src/shared.ts",
        find: "export interface Shared {",
        replace: "export interface Shared {\n  readonly process: { fail(reason: string): void };",
      },
      {
        file: "components/log-manager/src/source-uploader.ts",
        find: "await this.#files.look(this.#listed);",
        replace:
          'const before = new Map(this.#files.inOrder().map((file) => [file.key, file.names[0]]));\n        await this.#files.look(this.#listed);\n        for (const { key, names } of this.#files.inOrder())\n          if ((before.get(key) ?? names[0]) !== names[0]) this.#shared.process.fail("a log file changed its name");',
      },
    ],
  },
  "ignores-shutdown": {
    what: "sensor-reader ends only when everything is acknowledged",
    harm: "waits for less than nothing, and has to be killed",
    edits: [
      {
        file: sensorReader,
        find: "stop: async () => {\n      gauges();",
        replace:
          "stop: async () => {\n      while (running.unacknowledged >= 0) await ports.clock.sleep(100);\n      gauges();",
      },
    ],
    withoutTestsOf: "components/sensor-reader",
  },
  "holds-update": {
    what: "sensor-reader lets no update cut into a measurement",
    harm: "asks for another second for ever, so that no later release is installed",
    edits: [
      {
        file: "components/sensor-reader/src/sensor-reader.ts",
        find: "if (inCurve && nowMs - this.#deferringSinceMs < this.config().deferUpdateMaxSeconds * 1000)",
        replace: "if (inCurve || nowMs - this.#deferringSinceMs < this.config().deferUpdateMaxSeconds * 1e9)",
      },
    ],
    withoutTestsOf: "components/sensor-reader",
  },
  "ignores-configuration": {
    what: "sensor-reader reads its health interval once",
    harm: "a changed interval counts only after a restart",
    edits: [
      {
        file: sensorReader,
        find: "health.start(\n    () => configuration.current().healthIntervalSeconds * 1000,",
        replace:
          "const healthIntervalMs = configuration.current().healthIntervalSeconds * 1000;\n  health.start(\n    () => healthIntervalMs,",
      },
    ],
  },
  "loses-state-on-upgrade": {
    what: "stream-uploader calls the folder of readings by their name",
    harm: "what the version before had not uploaded yet stays behind for ever",
    edits: [
      {
        file: "components/stream-uploader/src/point-stream.ts",
        find: 'readings: { folder: "log",',
        replace: 'readings: { folder: "readings",',
      },
    ],
    withoutTestsOf: "components/stream-uploader",
  },
  "cannot-be-rolled-back": {
    what: "stream-uploader numbers its records anew",
    harm: "the version before refuses the records of this one and does not start",
    edits: [
      {
        file: "components/stream-uploader/src/batch-record.ts",
        find: "const VERSION = 1;",
        replace: "const VERSION = 2;",
      },
      {
        file: "components/stream-uploader/src/batch-record.ts",
        find: "if (view.getUint8(0) !== VERSION)",
        replace: "if (view.getUint8(0) > VERSION)",
      },
    ],
    withoutTestsOf: "components/stream-uploader",
  },
  "bad-recipe": {
    what: "stream-uploader's recipe runs what was built",
    harm: "the artifact has no such folder, and the component does not start",
    edits: [
      {
        file: "recipes/coalmine.StreamUploader.yaml",
        find: '"{artifacts:decompressedPath}/stream-uploader/main.mjs"',
        replace: '"{artifacts:decompressedPath}/stream-uploader/dist/main.mjs"',
      },
    ],
  },
  "breaks-new-devices": {
    what: "stream-uploader asks for no more than it needs",
    harm: "its recipe does not let it hear the other components' health, so that it does not start",
    edits: [
      {
        file: "recipes/coalmine.StreamUploader.yaml",
        find: 'resources: ["coalmine/measurements", "coalmine/health/+"]',
        replace: 'resources: ["coalmine/measurements"]',
      },
    ],
  },
} as const satisfies Readonly<Record<string, Mutant>>;
