import { messageOf } from "@coalmine/runtime";
import type { Actions, Outcome } from "./lifecycle.ts";
import type { State, StatusDetails } from "./states.ts";

/** A component that is part of the core device itself. */
export interface BuiltIn {
  start(): Promise<void>;
  stop(): Promise<void>;
}

const fine: Outcome = { ok: true };

/** The lifecycle of a built-in component; one that has nothing to run is FINISHED. */
export class BuiltInActions implements Actions {
  readonly #part: BuiltIn | undefined;

  constructor(part: BuiltIn | undefined) {
    this.#part = part;
  }

  async install(): Promise<Outcome> {
    return fine;
  }

  start(report: (state: State, details?: StatusDetails) => void): void {
    if (this.#part === undefined) {
      report("FINISHED");
      return;
    }
    this.#part.start().then(
      () => report("RUNNING"),
      (failure: unknown) => report("ERRORED", { code: "STARTUP_ERROR", reason: messageOf(failure) }),
    );
  }

  async shutdown(): Promise<Outcome> {
    try {
      await this.#part?.stop();
      return fine;
    } catch (failure) {
      return { ok: false, code: "SHUTDOWN_ERROR", reason: messageOf(failure) };
    }
  }

  async recover(): Promise<void> {}
  async stopProcesses(): Promise<void> {}
  kill(): void {}
}
