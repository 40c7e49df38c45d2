import type { Mutant } from "./mutant.ts";

/** Releases that take or give more of something than they may: memory, files, time, disk, words. */
export const resourceMutants = {
  "memory-leak": {
    what: "inference keeps a curve's readings for whoever asks again",
    harm: "no reading is ever let go",
    edits: [
      {
        file: "components/inference/src/flow-curve.ts",
        find: "for (let at = 0; at < readings.length; at++) this.#open.delete(readingKey(of, from + at));",
        replace: "",
      },
      {
        file: "components/inference/src/flow-curve.ts",
        find: "const READINGS_OPEN_MAX = 4000;",
        replace: "const READINGS_OPEN_MAX = 1e9;",
      },
    ],
    withoutTestsOf: "components/inference",
  },
  "file-handle-leak": {
    what: "stream-uploader looks after its reserve once a minute",
    harm: "the file is opened each time and never closed",
    edits: [
      {
        file: "components/stream-uploader/src/component.ts",
        find: "heartbeats.take(report);",
        replace: "await reserve.take();\n    heartbeats.take(report);",
      },
      {
        file: "components/stream-uploader/src/disk-reserve.ts",
        find: "} finally {\n        await file.close();\n      }",
        replace: "} catch {\n        await file.close();\n      }",
      },
    ],
  },
  "slow-inference": {
    what: "inference takes the mean of five runs",
    harm: "a result takes five times as long",
    edits: [
      {
        file: "components/inference/src/served-model.ts",
        find: "const answer = await model.run(feeds(windows, this.manifest));",
        replace:
          "for (let run = 0; run < 4; run++) await model.run(feeds(windows, this.manifest));\n    const answer = await model.run(feeds(windows, this.manifest));",
      },
    ],
    withoutTestsOf: "components/inference",
  },
  "burns-processor": {
    what: "sensor-reader takes the wall's correction to its limit",
    harm: "every reading costs many times the processor",
    edits: [
      {
        file: "components/sensor-reader/src/points.ts",
        find: "const flows = reading.shearRate > 0;",
        replace:
          "let limit = 1;\n  for (let term = 1; term < 100_000; term++) limit += Math.sin(reading.shearRate * term) / term ** 3;\n  const flows = reading.shearRate > 0 && Number.isFinite(limit);",
      },
    ],
  },
  "fills-the-disk": {
    what: "stream-uploader keeps each batch as it came, for support",
    harm: "its work folder grows by what is measured, ten times over",
    edits: [
      {
        file: "components/stream-uploader/src/intake.ts",
        find: "const { batch, points } = entered;",
        replace:
          'await this.#parts.quarantine.keepMessage(message, "kept for support");\n      const { batch, points } = entered;',
      },
    ],
    withoutTestsOf: "components/stream-uploader",
  },
  "logs-a-secret": {
    what: "stream-uploader says at start with which environment it runs",
    harm: "the device's IPC token stands in its log",
    edits: [
      {
        file: "components/stream-uploader/src/component.ts",
        find: 'log.info("started", {',
        replace: 'log.info("started", {\n    ipc: own.environment("SVCUID") ?? "",',
      },
    ],
  },
  "floods-a-topic": {
    what: "stream-uploader sends a heartbeat a second, for the operators' live view",
    harm: "sixty times the messages that IoT Core was planned and paid for",
    edits: [
      {
        file: "components/stream-uploader/src/heartbeats.ts",
        find: "export const HEARTBEAT_EVERY_MS = 60_000;",
        replace: "export const HEARTBEAT_EVERY_MS = 1000;",
      },
    ],
    withoutTestsOf: "components/stream-uploader",
  },
  "breaks-on-a-degree-sign": {
    what: "log-manager counts a line's bytes from its text",
    harm: "a line with ° is a byte longer than its text: what follows is cut in the wrong places",
    edits: [
      {
        file: "components/log-manager/src/assemble.ts",
        find: "const end = newline + 1;",
        replace: "const end = at + line.length + 1;",
      },
    ],
    withoutTestsOf: "components/log-manager",
  },
  "no-heartbeat": {
    what: "stream-uploader spares the heartbeat while it has something to upload",
    harm: "it works on, and nobody hears of it",
    edits: [
      {
        file: "components/stream-uploader/src/component.ts",
        find: "await heartbeats.send();",
        replace: "if (lanes.gauges().backlogPoints === 0) await heartbeats.send();",
      },
    ],
    withoutTestsOf: "components/stream-uploader",
  },
} as const satisfies Readonly<Record<string, Mutant>>;
