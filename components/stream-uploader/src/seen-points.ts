import * as z from "zod";
import { SequenceRuns } from "./sequence-runs.ts";

/** Bounds of what is remembered. A point that comes again after it was forgotten would be stored twice. */
const INSTRUMENTS_MAX = 256;
const BOOTS_MAX = 64;
const CHANNELS_MAX = 256;
const RUNS_MAX = 4096;

export const SeenNumbers = z.array(
  z.object({
    instrument: z.string(),
    boot: z.number(),
    channels: z.array(z.tuple([z.string(), z.array(z.number())])),
  }),
);
export type SeenNumbers = z.infer<typeof SeenNumbers>;

/** The channels of one instrument and boot. */
export class SeenChannels {
  readonly channels = new Map<string, SequenceRuns>();

  /** Remembers the point; false where it was seen before. */
  add(channel: string, sequence: number): boolean {
    let runs = this.channels.get(channel);
    if (runs === undefined) {
      forgetFirst(this.channels, CHANNELS_MAX);
      runs = new SequenceRuns();
      this.channels.set(channel, runs);
    }
    const isNew = runs.add(sequence);
    if (runs.runs > RUNS_MAX) runs.forget(RUNS_MAX / 4);
    return isNew;
  }

  remove(channel: string, sequence: number): void {
    this.channels.get(channel)?.remove(sequence);
  }
}

/**
 * Which points were stored, by instrument, boot, channel and sequence, in memory that stays small while numbers come
 * evenly. Where it must forget, the oldest instrument, the lowest boot and the lowest numbers go first.
 */
export class SeenPoints {
  readonly #instruments = new Map<string, Map<number, SeenChannels>>();

  of(instrument: string, boot: number): SeenChannels {
    let boots = this.#instruments.get(instrument);
    if (boots === undefined) {
      forgetFirst(this.#instruments, INSTRUMENTS_MAX);
      boots = new Map();
      this.#instruments.set(instrument, boots);
    }
    let channels = boots.get(boot);
    if (channels === undefined) {
      if (boots.size >= BOOTS_MAX) boots.delete(Math.min(...boots.keys()));
      channels = new SeenChannels();
      boots.set(boot, channels);
    }
    return channels;
  }

  toNumbers(): SeenNumbers {
    return [...this.#instruments].flatMap(([instrument, boots]) =>
      [...boots].map(([boot, { channels }]) => ({
        instrument,
        boot,
        channels: [...channels].map(([channel, runs]): [string, number[]] => [channel, runs.toNumbers()]),
      })),
    );
  }

  static fromNumbers(numbers: SeenNumbers): SeenPoints {
    const made = new SeenPoints();
    for (const { instrument, boot, channels } of numbers) {
      const seen = made.of(instrument, boot);
      for (const [channel, runs] of channels) seen.channels.set(channel, SequenceRuns.fromNumbers(runs));
    }
    return made;
  }
}

function forgetFirst<Value>(map: Map<string, Value>, max: number): void {
  if (map.size < max) return;
  const [first] = map.keys();
  if (first !== undefined) map.delete(first);
}
