import type { GuardFinding } from "./guard.ts";
import type { KayentaShadow } from "./kayenta/shadow.ts";

/** What one metric shows, in figures that are rounded for people and equal on every machine. */
export interface MetricFinding {
  readonly metric: string;
  readonly halting: boolean;
  /** Chance of so large a difference had the draw alone made it; null where nothing can be said. */
  readonly p: number | null;
  /** Canary to baseline, adjusted for each device's past, with the ends of its 95 % interval. */
  readonly ratio: number | null;
  readonly ratioLow: number | null;
  readonly ratioHigh: number | null;
  /** Of liveness: the share that was not heard. */
  readonly canaryLevel: number | null;
  readonly baselineLevel: number | null;
  readonly margin: number | null;
  readonly cleared: boolean | null;
  readonly lacks: string | null;
}

export interface Verdict {
  readonly verdict: "PROMOTE" | "HALT" | "WAIT" | "INCONCLUSIVE";
  /** One plain sentence. */
  readonly because: string;
  /** The canary was not drawn: what the comparison says is advice. */
  readonly advisory: boolean;
  /** Number of the look that decided, from 0; -1 without a look. */
  readonly look: number;
  readonly elapsedMs: number;
  readonly devices: { readonly canary: number; readonly baseline: number };
  /** Share of alpha spent. */
  readonly spent: number;
  readonly smallestP: number | null;
  readonly metrics: readonly MetricFinding[];
  readonly guard: GuardFinding | null;
  /** Shown, never decided by. Verdicts kept from before it was computed have none. */
  readonly kayentaShadow?: KayentaShadow;
}

/** Significant digits of a reported figure. */
export function rounded(value: number | undefined, digits = 4): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(digits));
}

/** A duration as people say it. */
export function durationText(durationMs: number): string {
  const minutes = durationMs / 60_000;
  if (minutes < 1) return `${Number((durationMs / 1000).toPrecision(3))} s`;
  if (minutes < 90) return `${Number(minutes.toPrecision(3))} min`;
  return `${Number((minutes / 60).toPrecision(3))} h`;
}

export function ratioText(value: number | null): string {
  return value === null ? "?" : `${value >= 100 ? Math.round(value) : value.toPrecision(3)}×`;
}

/** "1.52× (1.20×–1.93×), p = 0.002", as far as it is known. */
export function effectText(finding: MetricFinding): string {
  if (finding.ratio === null) return "no measurable difference";
  return `${ratioText(finding.ratio)} the baseline (95 % interval ${ratioText(finding.ratioLow)} to ${ratioText(finding.ratioHigh)}, p = ${finding.p ?? "?"})`;
}
