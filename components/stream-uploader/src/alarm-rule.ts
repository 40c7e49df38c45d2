import type { Measurement } from "@coalmine/contract";
import type { Alarms } from "./config.ts";

/** Channels whose state is remembered; where one is forgotten, its next alarm counts as new. */
const CHANNELS_MAX = 4096;

/** Which points are alarms, and which of them begin one: a channel that stays bad does not hurry every batch. */
export class AlarmRule {
  readonly #settings: () => Alarms;
  readonly #alarmed = new Set<string>();

  constructor(settings: () => Alarms) {
    this.#settings = settings;
  }

  /** To be told of every point in order. */
  judge({ instrument, channel, quality }: Measurement): {
    readonly isAlarm: boolean;
    readonly begins: boolean;
  } {
    const { badQuality, channels } = this.#settings();
    // What comes on a channel of alarms is news each time.
    if (channels.includes(channel)) return { isAlarm: true, begins: true };
    const name = `${instrument}/${channel}`;
    if (!badQuality || quality.level !== "bad") {
      this.#alarmed.delete(name);
      return { isAlarm: false, begins: false };
    }
    if (this.#alarmed.has(name)) return { isAlarm: true, begins: false };
    if (this.#alarmed.size >= CHANNELS_MAX) this.#alarmed.clear();
    this.#alarmed.add(name);
    return { isAlarm: true, begins: true };
  }
}
