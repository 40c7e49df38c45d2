import { FlowCurves } from "./flow-curve.ts";
import type { Manifest } from "./manifest.ts";
import { SignalWindows } from "./signal-window.ts";
import type { Windows } from "./window.ts";

type Preprocessing = Manifest["preprocessing"];

export function windowsFor(preprocessing: Preprocessing): Windows & { readonly dropped: number } {
  return preprocessing.kind === "flow-curve"
    ? new FlowCurves(preprocessing.points)
    : new SignalWindows(preprocessing);
}

/** Two models of the same preprocessing see the same windows. */
export function isSameInput(a: Manifest, b: Manifest): boolean {
  return JSON.stringify(a.preprocessing) === JSON.stringify(b.preprocessing);
}
