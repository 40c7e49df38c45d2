import { CalibrationRecord } from "@coalmine/instrument/guided-calibration/guided-calibration";
import * as z from "zod";
import { type DurableFiles, durableFiles, modes, readIfThere } from "../durable-files.ts";
import { CommissioningRefused } from "../refusal.ts";
import { NetworkCheck } from "../report/report.ts";
import { Language } from "../language.ts";
import { StepName } from "./screen.ts";
import { parsedJson } from "../parsed-json.ts";

/** As an attribute of a thing has it: no spaces. */
const word = z
  .string()
  .regex(/^[a-zA-Z0-9_.,@/:#=[\]-]{1,128}$/, "letters, digits and _ . , @ / : # = [ ] - only, no spaces");
const line = z.string().trim().min(1).max(200);

/** Who sets the device up, and where it stands. */
export const Place = z.strictObject({
  site: word,
  room: line.optional(),
  asset: line.optional(),
  technician: line,
});
export type Place = z.infer<typeof Place>;

/** What the technician has answered and decided so far. No secret is ever among it. */
export const Answers = z.object({
  version: z.literal(1),
  language: Language.optional(),
  place: Place.optional(),
  /** What was left out, and why. */
  leftOut: z.partialRecord(StepName, line).default({}),
  /** Steps that were looked at and found well. */
  seen: z.partialRecord(StepName, z.object({ atMs: z.number() })).default({}),
  /** What the network check found when it was left. */
  checks: z.array(NetworkCheck).max(100).default([]),
  /** Those that were accepted here, the newest last. */
  calibrations: z.array(CalibrationRecord).max(100).default([]),
  /** Of the report that was made last. */
  sha256: z.string().optional(),
});
export type Answers = z.infer<typeof Answers>;

/** The answers on the disk: each is there before the next question comes. */
export class AnswerBook {
  readonly #path: string;
  readonly #files: DurableFiles;
  #answers: Answers;

  private constructor(path: string, files: DurableFiles, answers: Answers) {
    this.#path = path;
    this.#files = files;
    this.#answers = answers;
  }

  static async open(path: string, files: DurableFiles = durableFiles): Promise<AnswerBook> {
    const text = await readIfThere(path);
    if (text === undefined) return new AnswerBook(path, files, Answers.parse({ version: 1 }));
    const read = Answers.safeParse(parsedJson(text));
    if (read.success) return new AnswerBook(path, files, read.data);
    throw new CommissioningRefused(
      "settings",
      `${path} cannot be read as the answers of a technician; move it away to answer anew`,
    );
  }

  get answers(): Answers {
    return this.#answers;
  }

  async saw(step: StepName, atMs: number): Promise<void> {
    const { seen, leftOut } = this.#answers;
    await this.write({ seen: { ...seen, [step]: { atMs } }, leftOut: without(leftOut, step) });
  }

  async leaveOut(step: StepName, why: string): Promise<void> {
    const { seen, leftOut } = this.#answers;
    await this.write({ seen: without(seen, step), leftOut: { ...leftOut, [step]: why } });
  }

  /** It was done or left out, and has to be done after all. */
  async reopen(step: StepName): Promise<void> {
    const { seen, leftOut } = this.#answers;
    await this.write({ seen: without(seen, step), leftOut: without(leftOut, step) });
  }

  async write(change: Partial<Answers>): Promise<void> {
    const next = { ...this.#answers, ...change };
    await this.#files.write(this.#path, `${JSON.stringify(next, undefined, 2)}\n`, modes.privateKey);
    this.#answers = next;
  }
}

function without<Value>(
  of: Partial<Record<StepName, Value>>,
  step: StepName,
): Partial<Record<StepName, Value>> {
  const { [step]: _gone, ...rest } = of;
  return rest;
}
