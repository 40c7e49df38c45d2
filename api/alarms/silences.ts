import type { Alarm } from "@coalmine/contract/operator-api";
import * as z from "zod";
import type { Api } from "../api.ts";

const Silence = z.object({
  who: z.string(),
  atMs: z.number(),
  reason: z.string(),
  untilMs: z.number(),
  /** Of the action that made it. */
  key: z.string(),
});
export type Silence = z.infer<typeof Silence>;

/** What was said last of an alarm's source, whether it is over or not. */
export async function newestSilence({ log }: Api, source: string): Promise<Silence | undefined> {
  const text = await log.newestNote(noteOf(source));
  return text === undefined ? undefined : Silence.parse(JSON.parse(text));
}

/** Keeps it; of two within a millisecond the first stays, and is given. */
export async function keepSilence({ log }: Api, source: string, silence: Silence): Promise<Silence> {
  const kept = await log.addNote(noteOf(source), silence.atMs, JSON.stringify(silence));
  return Silence.parse(JSON.parse(kept));
}

export function shownSilence({ key: _key, ...shown }: Silence): NonNullable<Alarm["silenced"]> {
  return shown;
}

function noteOf(source: string): string {
  return `silenced#${source}`;
}
