import type { Clock, Instant } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { ErrorHistory } from "./error-history.ts";
import { mayReport, type DesiredState, type State, type StatusDetails } from "./states.ts";

export type Outcome = { readonly ok: true } | ({ readonly ok: false } & StatusDetails);

/** What a component does in its states. None of these rejects. */
export interface Actions {
  install(): Promise<Outcome>;
  /**
   * Starts what is to run, and reports how it goes from then on. `isStarting` is false as soon as the component is past
   * STARTING, by whoever's word.
   */
  start(report: (state: State, details?: StatusDetails) => void, isStarting: () => boolean): void;
  shutdown(): Promise<Outcome>;
  /** Ends everything now. */
  kill(): void;
  recover(): Promise<void>;
  /** Ends every process that is left, by force if need be. */
  stopProcesses(): Promise<void>;
}

export interface StateChange {
  readonly from: State;
  readonly to: State;
  readonly at: Instant;
  readonly details?: StatusDetails | undefined;
}

/** More than one start can report; the rest would be a component gone mad. */
const REPORTS_MAX = 16;

interface Move {
  readonly to: State;
  readonly details?: StatusDetails | undefined;
}

interface LifecycleOptions {
  readonly clock: Clock;
  readonly actions: Actions;
  readonly dependenciesReady: () => boolean;
  readonly errorResetMs: () => number;
  readonly changed: (change: StateChange) => void;
}

/** One component's way through its states: towards what is desired, by what its scripts report. */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #errors = new ErrorHistory();
  #state: State = "NEW";
  #previous: State = "NEW";
  #details: StatusDetails | undefined;
  #changedAtMs: number;
  #desired: DesiredState[] = [];
  /** In order; a script that starts and ends at once reports twice before the first is looked at. */
  #reports: Move[] = [];
  #closing = false;
  #failedStart = false;
  #waiting: (() => void)[] = [];
  readonly closed: Promise<void>;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#changedAtMs = options.clock.monotonicMs();
    this.closed = this.#live();
  }

  get state(): State {
    return this.#state;
  }
  get details(): StatusDetails | undefined {
    return this.#details;
  }
  /** Of the monotonic clock. */
  get changedAtMs(): number {
    return this.#changedAtMs;
  }
  get desired(): readonly DesiredState[] {
    return this.#desired;
  }
  /** What HARD dependents wait for. */
  get isReady(): boolean {
    return (
      this.#state === "RUNNING" ||
      this.#state === "FINISHED" ||
      (this.#state === "STOPPING" && !this.#failedStart)
    );
  }

  requestStart(): void {
    if (!this.#desired.includes("RUNNING")) this.#want([...this.#desired, "RUNNING"]);
  }
  /** A reinstall that was asked for before stays asked for. False where there is nothing that could be restarted. */
  requestRestart(): boolean {
    if (this.#closing || (this.#state === "NEW" && this.#desired.length === 0)) return false;
    const reinstall = this.#desired.indexOf("NEW");
    this.#want([...this.#desired.slice(0, reinstall + 1), "INSTALLED", "RUNNING"]);
    return true;
  }
  requestReinstall(): void {
    this.#want(["NEW", "RUNNING"]);
  }
  /** False where the component is being closed already. */
  requestStop(): boolean {
    if (this.#closing) return false;
    this.#want(["FINISHED"]);
    return true;
  }

  /** A component says how it is; what the state does not allow is ignored. */
  report(state: State, details?: StatusDetails): void {
    if (this.#reports.length === 0 && !mayReport(this.#state, state)) return;
    if (this.#reports.length < REPORTS_MAX) this.#reports.push({ to: state, details });
    this.poke();
  }

  #reported(): Move | undefined {
    for (let report = this.#reports.shift(); report !== undefined; report = this.#reports.shift())
      if (mayReport(this.#state, report.to)) return report;
    return undefined;
  }

  /** Stops the component for good, whatever it is doing. */
  close(): Promise<void> {
    this.#closing = true;
    this.poke();
    return this.closed;
  }

  /** Something that a state waits for may have changed: a dependency, a request. */
  poke(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #want(desired: readonly DesiredState[]): void {
    this.#desired = [...desired];
    this.poke();
  }

  async #live(): Promise<void> {
    for (;;) {
      const move = await this.#next();
      if (move === undefined) break;
      this.#enter(move);
    }
    await this.#options.actions.stopProcesses();
  }

  #next(): Promise<Move | undefined> {
    switch (this.#state) {
      case "NEW":
        return this.#whenNew();
      case "INSTALLED":
        return this.#whenInstalled();
      case "STARTING":
        return this.#whenStarting();
      case "RUNNING":
        return this.#whenRunning();
      case "STOPPING":
        return this.#whenStopping();
      case "ERRORED":
        return this.#whenErrored();
      case "BROKEN":
        return this.#whenBroken();
      case "FINISHED":
        return this.#whenFinished();
      case "UNINSTALLED":
        break;
    }
    return Promise.resolve(undefined);
  }

  #enter(move: Move): void {
    const from = this.#state;
    const { clock } = this.#options;
    const atMs = clock.monotonicMs();
    let to = move.to;
    if (to === "ERRORED") {
      if (this.#errors.isBrokenBy(from, atMs, this.#options.errorResetMs())) to = "BROKEN";
    } else this.#errors.left(from);
    if (from === "STARTING") this.#failedStart = to !== "RUNNING" && to !== "FINISHED";
    this.#previous = from;
    this.#state = to;
    // A component with nothing to run, or done at once, has got where RUNNING was wanted.
    if (from === "STARTING" && (to === "RUNNING" || to === "FINISHED")) this.#arrived("RUNNING");
    this.#details = move.details;
    this.#changedAtMs = atMs;
    if (from !== "STARTING" || to !== "RUNNING") this.#reports = [];
    this.#options.changed({ from, to, at: clock.now(), details: move.details });
  }

  async #whenNew(): Promise<Move | undefined> {
    const head = await this.#until(() => (this.#closing ? "closing" : this.#head("NEW")));
    if (head === "closing") return undefined;
    if (head === "FINISHED") {
      // Never started, and not to be: nothing to do until something else is wanted.
      this.#desired.shift();
      return this.#whenNew();
    }
    const outcome = await this.#race(this.#options.actions.install());
    if (outcome === undefined) return undefined;
    if ("to" in outcome) {
      await this.#options.actions.stopProcesses();
      return outcome;
    }
    return outcome.ok ? { to: "INSTALLED" } : { to: "ERRORED", details: outcome };
  }

  #whenInstalled(): Promise<Move | undefined> {
    return this.#move(() => {
      const head = this.#head("INSTALLED");
      if (head === "NEW") return { to: "NEW" };
      if (head === "FINISHED") return { to: "FINISHED" };
      return head === "RUNNING" && this.#options.dependenciesReady() ? { to: "STARTING" } : undefined;
    });
  }

  #whenStarting(): Promise<Move | undefined> {
    this.#options.actions.start(
      (state, details) => this.report(state, details),
      () => this.#state === "STARTING",
    );
    return this.#leaveOnRequest();
  }

  #whenRunning(): Promise<Move | undefined> {
    return this.#leaveOnRequest();
  }

  /** STARTING and RUNNING end by what was reported, or because something else than RUNNING is wanted. */
  async #leaveOnRequest(): Promise<Move> {
    return this.#until((): Move | undefined => {
      const report = this.#reported();
      if (report !== undefined) {
        if (report.to !== "FINISHED") return report;
        return this.#state === "STARTING" ? { to: "FINISHED" } : { to: "STOPPING" };
      }
      if (this.#closing) return { to: "STOPPING" };
      if (this.#state === "RUNNING") this.#arrived("RUNNING");
      const head = this.#desired[0];
      return head !== undefined && head !== "RUNNING" ? { to: "STOPPING" } : undefined;
    });
  }

  async #whenStopping(): Promise<Move | undefined> {
    const outcome = await this.#options.actions.shutdown();
    await this.#options.actions.stopProcesses();
    if (this.#closing) return undefined;
    return outcome.ok ? this.#afterStopping() : { to: "ERRORED", details: outcome };
  }

  #afterStopping(): Move {
    const head = this.#desired[0];
    if (head === "NEW") return { to: "NEW" };
    return head === "INSTALLED" || head === "RUNNING" ? { to: "INSTALLED" } : { to: "FINISHED" };
  }

  async #whenErrored(): Promise<Move | undefined> {
    const from = this.#previous;
    await this.#options.actions.recover();
    if (this.#closing) return undefined;
    if (from === "NEW") return { to: "NEW" };
    if (from === "STOPPING") return this.#afterStopping();
    if (this.#desired.length === 0) this.#desired = ["RUNNING"];
    return { to: "STOPPING" };
  }

  async #whenBroken(): Promise<Move | undefined> {
    if (this.#previous === "STARTING" || this.#previous === "RUNNING") await this.#options.actions.shutdown();
    await this.#options.actions.stopProcesses();
    const move = await this.#move(() => {
      while (this.#desired.length > 0 && this.#desired[0] !== "NEW") this.#desired.shift();
      return this.#desired[0] === "NEW" ? { to: "NEW" } : undefined;
    });
    if (move !== undefined) this.#errors.clear();
    return move;
  }

  #whenFinished(): Promise<Move | undefined> {
    return this.#move(() => {
      const head = this.#head("FINISHED");
      if (head === "NEW") return { to: "NEW" };
      return head === undefined ? undefined : { to: "INSTALLED" };
    });
  }

  /** The next state wanted that is not the present one. */
  #head(present: DesiredState): DesiredState | undefined {
    this.#arrived(present);
    return this.#desired[0];
  }

  #arrived(state: DesiredState): void {
    while (this.#desired[0] === state) this.#desired.shift();
  }

  async #move(check: () => Move | undefined): Promise<Move | undefined> {
    const found = await this.#until(() => (this.#closing ? "closing" : check()));
    return found === "closing" ? undefined : found;
  }

  /** Whichever comes first: the end of the work, a report, or the closing (undefined). */
  async #race(work: Promise<Outcome>): Promise<Outcome | Move | undefined> {
    let done: Outcome | undefined;
    void work
      .catch((failure: unknown): Outcome => ({
        ok: false,
        code: "INSTALL_IO_ERROR",
        reason: messageOf(failure),
      }))
      .then((outcome) => {
        done = outcome;
        this.poke();
      });
    const first = await this.#until(() => (this.#closing ? "closing" : (done ?? this.#reported())));
    return first === "closing" ? undefined : first;
  }

  async #until<Found>(check: () => Found | undefined): Promise<Found> {
    for (;;) {
      const found = check();
      if (found !== undefined) return found;
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }
}
