import type { Clock } from "@coalmine/ports";
import type { ConfigurationTree } from "../configuration/tree.ts";
import { isObject, parseJson } from "../json.ts";
import type { DeviceRoot } from "../ports.ts";

/** The nucleus's own sizes: a log is rotated at the one, and its rotated files together hold at most the rest of the other. */
export const LOG_FILE_BYTES = 1024 * 1024;
export const LOG_TOTAL_BYTES = 10 * LOG_FILE_BYTES;
export interface LogSizes {
  readonly fileBytes: number;
  readonly totalBytes: number;
}
const defaults: LogSizes = { fileBytes: LOG_FILE_BYTES, totalBytes: LOG_TOTAL_BYTES };
const LOGGING = ["services", "aws.greengrass.Nucleus", "configuration", "logging"];
const KIB = 1024;

/** As the nucleus's `logging` says; what is not there is the nucleus's own. */
export function logSizesIn(tree: ConfigurationTree): LogSizes {
  const bytes = (name: string, otherwise: number): number => {
    const kib = Number(tree.get([...LOGGING, name]));
    return kib > 0 ? kib * KIB : otherwise;
  };
  return {
    fileBytes: bytes("fileSizeKB", defaults.fileBytes),
    totalBytes: bytes("totalLogsSizeKB", defaults.totalBytes),
  };
}
/** Lines wait in memory while the disk is busy; past this the oldest are dropped, and the log says so. */
const WAITING_LINES_MAX = 10_000;

/** `<root>/logs/<component>.log`, rotated as the nucleus does: `<component>_yyyy_MM_dd_HH_n.log`. */
export class OutputLog {
  readonly #root: DeviceRoot;
  readonly #clock: Clock;
  readonly #name: string;
  readonly #sizes: () => LogSizes;
  #sizeBytes: number | undefined;
  #waiting: string[] = [];
  #dropped = 0;
  #writing: Promise<void> | undefined;

  constructor(root: DeviceRoot, clock: Clock, name: string, sizes = (): LogSizes => defaults) {
    this.#root = root;
    this.#clock = clock;
    this.#name = name;
    this.#sizes = sizes;
  }

  /** A line that is JSON goes out as it is; any other gets the nucleus's time, level and name before it. */
  write(stream: "stdout" | "stderr", line: string, context: string): void {
    const isJson = line.startsWith("{") && isObject(parseJson(line));
    this.#waiting.push(isJson ? line : this.#told(stream, line, context));
    if (this.#waiting.length > WAITING_LINES_MAX) {
      this.#waiting.shift();
      this.#dropped++;
    }
    this.#writing ??= this.#drain();
  }

  #told(stream: "stdout" | "stderr", line: string, context: string): string {
    const level = stream === "stdout" ? "INFO" : "WARN";
    const time = new Date(this.#clock.now()).toISOString();
    return `${time} [${level}] (Copier) ${this.#name}: ${stream}. ${line}. {${context}, serviceName=${this.#name}}`;
  }

  /** Resolves when everything written so far is in the file. */
  async drained(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    // Lines written in the same turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      if (this.#dropped > 0) {
        const timestamp = this.#clock.now();
        lines.unshift(
          JSON.stringify({ timestamp, level: "WARN", message: "log lines dropped", lines: this.#dropped }),
        );
        this.#dropped = 0;
      }
      try {
        await this.#append(`${lines.join("\n")}\n`);
      } catch {
        // A full disk must not stop the component: the lines are lost, and counted.
        this.#dropped += lines.length;
        break;
      }
    }
    this.#writing = undefined;
  }

  async #append(text: string): Promise<void> {
    const path = `logs/${this.#name}.log`;
    this.#sizeBytes ??= await this.#root.sizeOf(path);
    const bytes = Buffer.byteLength(text);
    if (this.#sizeBytes > 0 && this.#sizeBytes + bytes > this.#sizes().fileBytes) {
      await this.#rotate(path);
      this.#sizeBytes = 0;
    }
    await this.#root.appendText(path, text, "log");
    this.#sizeBytes += bytes;
  }

  async #rotate(path: string): Promise<void> {
    const hour = new Date(this.#clock.now())
      .toISOString()
      .slice(0, 13)
      .replace("T", "-")
      .replaceAll("-", "_");
    const names = await this.#root.list("logs");
    // Not the first number that is free: the oldest may have gone, and what takes its name would be next.
    const before = `${this.#name}_${hour}_`;
    const taken = names.filter((name) => this.#isRotated(name) && name.startsWith(before));
    const n = Math.max(-1, ...taken.map((name) => hourAndNumberOf(name)[1])) + 1;
    await this.#root.rename(path, `logs/${this.#name}_${hour}_${n}.log`);
    const rotated = [...names.filter((name) => this.#isRotated(name)), `${this.#name}_${hour}_${n}.log`];
    const { fileBytes, totalBytes } = this.#sizes();
    let total = fileBytes;
    for (const name of rotated.toSorted(byHourAndNumber).toReversed()) {
      total += await this.#root.sizeOf(`logs/${name}`);
      if (total > totalBytes) await this.#root.removeTree(`logs/${name}`);
    }
  }

  #isRotated(name: string): boolean {
    return (
      name.startsWith(`${this.#name}_`) &&
      /^\d{4}_\d\d_\d\d_\d\d_\d+\.log$/.test(name.slice(this.#name.length + 1))
    );
  }
}

function hourAndNumberOf(name: string): [string, number] {
  const [, hour = "", n = "0"] = /_(\d{4}_\d\d_\d\d_\d\d)_(\d+)\.log$/.exec(name) ?? [];
  return [hour, Number(n)];
}

function byHourAndNumber(a: string, b: string): number {
  const [hourA, nA] = hourAndNumberOf(a);
  const [hourB, nB] = hourAndNumberOf(b);
  return hourA < hourB ? -1 : hourA > hourB ? 1 : nA - nB;
}
