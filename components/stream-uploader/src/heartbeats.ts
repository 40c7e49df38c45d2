import { ComponentHealth, type Heartbeat, ThingName, topics } from "@coalmine/contract";
import type { Clock, Ipc, LocalMessage, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { UploaderHealth } from "./uploader-health.ts";

const Health = z.compile(ComponentHealth);
export const HEARTBEAT_EVERY_MS = 60_000;
/** After the instant at which every component of the device says how it is, so that a heartbeat is fresh. */
export const HEARTBEAT_LAG_MS = 1000;
/** Components of one device; more are passed over. */
const COMPONENTS_MAX = 32;

/** Hears every component's health, and sends one heartbeat a minute with all of it, each with its age. */
export class Heartbeats {
  readonly #clock: Clock;
  readonly #ipc: Pick<Ipc, "publishToIotCore">;
  readonly #log: Log;
  readonly #thing: ThingName;
  readonly #health: UploaderHealth;
  readonly #heard = new Map<string, { health: ComponentHealth; atMs: number }>();
  #sequence = 0;

  constructor(parts: {
    readonly clock: Clock;
    readonly ipc: Pick<Ipc, "publishToIotCore">;
    readonly log: Log;
    readonly thing: string;
    readonly health: UploaderHealth;
  }) {
    this.#clock = parts.clock;
    this.#ipc = parts.ipc;
    this.#log = parts.log;
    this.#thing = ThingName.parse(parts.thing);
    this.#health = parts.health;
  }

  hear(topic: string, message: LocalMessage): void {
    const parsed = "json" in message ? Health.safeParse(message.json) : undefined;
    // A component speaks for itself only.
    if (parsed?.success !== true || topic !== topics.health(parsed.data.component)) {
      this.#log.debug("a message on a health topic is not that component's health", { topic });
      return;
    }
    this.take(parsed.data);
  }

  take(health: ComponentHealth): void {
    if (!this.#heard.has(health.component) && this.#heard.size >= COMPONENTS_MAX) return;
    this.#heard.set(health.component, { health, atMs: this.#clock.monotonicMs() });
  }

  async send(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const heartbeat: Heartbeat = {
      version: 1,
      thing: this.#thing,
      sentMs: this.#clock.now(),
      sequence: this.#sequence++,
      components: [...this.#heard.values()]
        .sort((a, b) => (a.health.component < b.health.component ? -1 : 1))
        .map(({ health, atMs }) => ({ ...health, ageMs: Math.max(0, nowMs - atMs) })),
    };
    try {
      await this.#ipc.publishToIotCore(
        topics.heartbeat(this.#thing),
        1,
        new TextEncoder().encode(JSON.stringify(heartbeat)),
      );
      this.#health.count("heartbeats");
    } catch (failure) {
      // The gap in the sequence tells it; the next one carries the same counters.
      this.#log.warn("a heartbeat was not sent", { cause: messageOf(failure) });
    }
  }
}
