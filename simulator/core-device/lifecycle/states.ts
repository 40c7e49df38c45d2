/** The states of a component, as Greengrass spells them. */
export type State =
  | "NEW"
  | "INSTALLED"
  | "STARTING"
  | "RUNNING"
  | "STOPPING"
  | "ERRORED"
  | "BROKEN"
  | "FINISHED"
  | "UNINSTALLED";

/** Where a component may be asked to go. */
export type DesiredState = "NEW" | "INSTALLED" | "RUNNING" | "FINISHED";

/** Why a component is ERRORED or BROKEN, in the words of fleet status. */
export interface StatusDetails {
  readonly code: string;
  readonly reason: string;
  /** Of a bootstrap step that ended by itself: 100 asks for a restart of the nucleus, 101 for one of the device. */
  readonly exitCode?: number;
}

/** What a component's scripts (or the component itself) may report in a state; the rest is ignored. */
const reports: Readonly<Partial<Record<State, readonly State[]>>> = {
  NEW: ["ERRORED"],
  STARTING: ["RUNNING", "ERRORED", "FINISHED"],
  RUNNING: ["ERRORED", "FINISHED"],
  STOPPING: ["ERRORED", "FINISHED"],
};

export function mayReport(state: State, reported: State): boolean {
  return reports[state]?.includes(reported) ?? false;
}

/** A deployment counts these as arrived. */
export function isHealthy(state: State): boolean {
  return state === "RUNNING" || state === "FINISHED";
}

export function isTerminal(state: State): boolean {
  return isHealthy(state) || state === "BROKEN" || state === "UNINSTALLED";
}
