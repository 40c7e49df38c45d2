import { InstrumentFound, InstrumentNotFound } from "@coalmine/contract";
import * as z from "zod";
import { type DurableFiles, durableFiles, modes, readIfThere } from "./durable-files.ts";
import { CommissioningRefused } from "./refusal.ts";
import { parsedJson } from "./parsed-json.ts";

const port = z.string();
/** What the self-test said of one instrument, and on which port. */
export const PortResult = z.discriminatedUnion("found", [
  InstrumentFound.extend({ port }),
  InstrumentNotFound.extend({ port }),
]);
export type PortResult = z.infer<typeof PortResult>;

const at = z.number();

/** Which steps are done, and what they found. No secret is ever written here. */
export const JournalEntries = z.object({
  version: z.literal(1),
  serial: z.string(),
  site: z.string(),
  startedMs: at,
  /** Measured against the server, in ms; positive where the device is ahead. */
  clock: z.object({ at, aheadMs: z.number() }).optional(),
  key: z.object({ at }).optional(),
  certificate: z.object({ at, certificateId: z.string() }).optional(),
  thing: z.object({ at, thingName: z.string() }).optional(),
  /** The device connected as itself: from here on the claim is of no use to it. */
  proven: z.object({ at }).optional(),
  claimErased: z.object({ at }).optional(),
  selfTest: z.object({ at, ports: z.array(PortResult) }).optional(),
  nucleus: z.object({ at, version: z.string() }).optional(),
  configured: z.object({ at }).optional(),
  reported: z.object({ at, sha256: z.string() }).optional(),
  /** The operator's side has the report. */
  sent: z.object({ at }).optional(),
});
export type JournalEntries = z.infer<typeof JournalEntries>;
type Steps = Omit<JournalEntries, "version" | "serial" | "site" | "startedMs">;

/** What has been done so far. Each step is on the disk before the next begins, so that a power cut costs one step. */
export class Journal {
  readonly #path: string;
  readonly #files: DurableFiles;
  #entries: JournalEntries;

  private constructor(path: string, files: DurableFiles, entries: JournalEntries) {
    this.#path = path;
    this.#files = files;
    this.#entries = entries;
  }

  static async open(
    path: string,
    begin: { serial: string; site: string; nowMs: number },
    files: DurableFiles = durableFiles,
  ): Promise<Journal> {
    const { serial, site, nowMs } = begin;
    const text = await readIfThere(path);
    if (text === undefined) {
      const journal = new Journal(path, files, { version: 1, serial, site, startedMs: nowMs });
      await journal.#write();
      return journal;
    }
    const read = JournalEntries.safeParse(parsedJson(text));
    if (!read.success)
      throw new CommissioningRefused(
        "settings",
        `${path} cannot be read as a commissioning journal; move it away if this device is to be commissioned from the beginning`,
      );
    if (read.data.serial !== serial)
      throw new CommissioningRefused(
        "settings",
        `${path} is of the device ${read.data.serial}, the settings are of ${serial}; use the right settings, or another root folder`,
      );
    return new Journal(path, files, read.data);
  }

  get entries(): JournalEntries {
    return this.#entries;
  }

  async done(steps: Partial<Steps>): Promise<void> {
    this.#entries = { ...this.#entries, ...steps };
    await this.#write();
  }

  async forget(...steps: readonly (keyof Steps)[]): Promise<void> {
    const kept = { ...this.#entries };
    for (const step of steps) delete kept[step];
    this.#entries = kept;
    await this.#write();
  }

  #write(): Promise<void> {
    return this.#files.write(
      this.#path,
      `${JSON.stringify(this.#entries, undefined, 2)}\n`,
      modes.privateKey,
    );
  }
}
