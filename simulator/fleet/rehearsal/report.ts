import type { Check } from "../evidence/checks.ts";

/**
 * What a rehearsal leaves for people and programs: `report.json` holds it, `report.html` and `report.xml` tell it. Instants
 * are in ms since 1970 on the simulated clock, but `atMs`, which is the wall's; `seconds` are the wall's too.
 */
export interface RehearsalReport {
  readonly commit: string;
  readonly atMs: number;
  readonly passed: boolean;
  readonly verdict: string;
  readonly seconds: number;
  readonly seed: string;
  /** What repeats it in a checkout that holds the two builds. */
  readonly repeat: string;
  /** What somebody should do now, most urgent first. */
  readonly toDo: readonly string[];
  readonly components: readonly {
    readonly component: string;
    /** Absent where nothing runs yet. */
    readonly running?: string;
    readonly candidate: string;
  }[];
  readonly checks: readonly ScenarioCheck[];
  readonly scenarios: readonly ScenarioCourse[];
}

export interface ScenarioCheck extends Check {
  readonly scenario: string;
}

/** How one scenario went. */
export interface ScenarioCourse {
  readonly name: string;
  readonly about: string;
  readonly seconds: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly phases: readonly Phase[];
  readonly faults: readonly PlannedFault[];
  /** What devices themselves told that went wrong. */
  readonly incidents: readonly { readonly atMs: number; readonly thing: string; readonly what: string }[];
  readonly lanes: readonly Lane[];
  readonly charts: readonly Chart[];
  /** Means of what devices observed, of both releases, of the components that differ. */
  readonly compared: readonly {
    readonly component: string;
    readonly observed: string;
    readonly running?: number;
    readonly candidate?: number;
  }[];
}

export interface Phase {
  readonly what: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface PlannedFault {
  readonly what: string;
  readonly things: readonly string[];
  readonly fromMs: number;
  /** Absent where it is over at once. */
  readonly toMs?: number;
}

/** What a device was at, as far as one look a minute shows. */
export const laneStates = ["running", "candidate", "between", "no-link", "no-power", "broken"] as const;
export type LaneState = (typeof laneStates)[number];

/** One device from the scenario's beginning to its end. */
export interface Lane {
  readonly thing: string;
  readonly spans: readonly { readonly state: LaneState; readonly fromMs: number; readonly toMs: number }[];
}

export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly atMs: readonly number[];
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
}
