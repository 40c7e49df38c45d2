import type { Clock } from "@coalmine/ports";

/** How often a round of answers is looked at. */
const POLL_MS = 1000;

export type UpdateEvent =
  | { readonly preUpdateEvent: { readonly deploymentId: string; readonly isGgcRestarting: boolean } }
  | { readonly postUpdateEvent: { readonly deploymentId: string } };

interface Round {
  readonly deploymentId: string;
  /** Component → its answer, once given. */
  readonly answers: Map<string, number | undefined>;
}

/** Asks the components that listen whether an update may happen now, as often as one of them wants it later. */
export class ComponentUpdates {
  readonly #clock: Clock;
  readonly #listeners = new Map<
    symbol,
    { readonly component: string; readonly send: (event: UpdateEvent) => void }
  >();
  #round: Round | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  subscribe(component: string, send: (event: UpdateEvent) => void): { close(): void } {
    const id = Symbol(component);
    this.#listeners.set(id, { component, send });
    return { close: () => this.#listeners.delete(id) };
  }

  isSubscribed(component: string): boolean {
    return [...this.#listeners.values()].some((listener) => listener.component === component);
  }

  /** False where nobody waits for this answer: too late, unknown, or the second one. */
  answer(component: string, deploymentId: string, recheckAfterMs: number): boolean {
    const round = this.#round;
    if (round?.deploymentId !== deploymentId || !round.answers.has(component)) return false;
    if (round.answers.get(component) !== undefined) return false;
    round.answers.set(component, recheckAfterMs);
    return true;
  }

  /** Resolves when the update may happen. A round ends when all have answered or the policy's time is over. */
  async ask(
    deploymentId: string,
    isGgcRestarting: boolean,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      const round: Round = { deploymentId, answers: new Map() };
      for (const { component } of this.#listeners.values()) round.answers.set(component, undefined);
      if (round.answers.size === 0) return;
      this.#round = round;
      try {
        for (const { send } of Array.from(this.#listeners.values()))
          send({ preUpdateEvent: { deploymentId, isGgcRestarting } });
        const until = this.#clock.monotonicMs() + timeoutMs;
        while ([...round.answers.values()].includes(undefined) && this.#clock.monotonicMs() < until)
          await this.#clock.sleep(Math.min(POLL_MS, until - this.#clock.monotonicMs()), signal);
      } finally {
        this.#round = undefined;
      }
      const recheckMs = Math.max(0, ...[...round.answers.values()].map((answer) => answer ?? 0));
      if (recheckMs === 0) return;
      await this.#clock.sleep(recheckMs, signal);
    }
  }

  done(deploymentId: string): void {
    for (const { send } of Array.from(this.#listeners.values())) send({ postUpdateEvent: { deploymentId } });
  }
}
