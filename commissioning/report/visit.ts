import * as z from "zod";
import { StepName } from "./report.ts";
import { Language } from "../language.ts";

const words = (charactersMax: number) =>
  z
    .string()
    .trim()
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, "text without line breaks is needed")
    .max(charactersMax);

/** What only the person on site knows. */
export const Visit = z.strictObject({
  technician: words(128).optional(),
  room: words(64).optional(),
  asset: words(64).optional(),
  language: Language.default("en"),
  timeZone: z.string().refine(isTimeZone, "an IANA time zone is needed, like Europe/Rome").default("UTC"),
  /** Where a phone finds the device when it reads the label; `/devices/THING` is added. */
  consoleUrl: z
    .url({ protocol: /^https?$/ })
    .max(60)
    .optional(),
  skipped: z
    .array(z.strictObject({ step: StepName, words: words(500) }))
    .max(6)
    .default([]),
  deviations: z.array(words(500)).max(20).default([]),
});
export type Visit = z.infer<typeof Visit>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
