import type { Clock, JsonObject } from "@coalmine/ports";
import { DeploymentError } from "./deployment-error.ts";

const POLL_MS = 1000;

interface Listener {
  readonly send: (configuration: JsonObject, deploymentId: string) => void;
}

interface Pending {
  readonly deploymentId: string;
  readonly answers: Map<string, { accepted: boolean; message: string } | undefined>;
}

/** Asks running components whether they can live with the configuration that a deployment brings them. */
export class ConfigurationValidation {
  readonly #clock: Clock;
  readonly #listeners = new Map<string, Listener>();
  #pending: Pending | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One listener a component: the first one stays. */
  subscribe(component: string, send: Listener["send"]): { close(): void } {
    const listener = { send };
    if (!this.#listeners.has(component)) this.#listeners.set(component, listener);
    return {
      close: () => {
        if (this.#listeners.get(component) === listener) this.#listeners.delete(component);
      },
    };
  }

  /** False where no answer is waited for. */
  answer(component: string, deploymentId: string, accepted: boolean, message: string): boolean {
    const pending = this.#pending;
    if (pending?.deploymentId !== deploymentId || !pending.answers.has(component)) return false;
    pending.answers.set(component, { accepted, message });
    return true;
  }

  /**
   * Resolves when all agreed; a refusal, or an answer that does not come in time, fails the deployment. Where at least
   * one component listens, an answer is waited for from every changed one, even from those that do not listen.
   */
  async ask(
    deploymentId: string,
    proposed: ReadonlyMap<string, JsonObject>,
    timeoutMs: number,
  ): Promise<void> {
    const asked = [...proposed].filter(([component]) => this.#listeners.has(component));
    if (asked.length === 0) return;
    const pending: Pending = { deploymentId, answers: new Map() };
    for (const component of proposed.keys()) pending.answers.set(component, undefined);
    this.#pending = pending;
    try {
      for (const [component, configuration] of asked)
        this.#listeners.get(component)?.send(configuration, deploymentId);
      const until = this.#clock.monotonicMs() + timeoutMs;
      for (;;) {
        const refused = [...pending.answers].find(([, answer]) => answer?.accepted === false);
        if (refused !== undefined)
          throw invalid(
            `Components reported that their to-be-deployed configuration is invalid. { name = ${refused[0]}, message = ${refused[1]?.message ?? ""} }`,
          );
        if (![...pending.answers.values()].includes(undefined)) return;
        const leftMs = until - this.#clock.monotonicMs();
        if (leftMs <= 0) {
          const silent = [...pending.answers]
            .filter(([, answer]) => answer === undefined)
            .map(([name]) => name);
          throw invalid(
            `Error while waiting for validation of ${silent.join(", ")}: no answer within ${timeoutMs} ms`,
          );
        }
        await this.#clock.sleep(Math.min(POLL_MS, leftMs));
      }
    } finally {
      this.#pending = undefined;
    }
  }
}

function invalid(message: string): DeploymentError {
  return new DeploymentError(["COMPONENT_CONFIGURATION_NOT_VALID"], message);
}
