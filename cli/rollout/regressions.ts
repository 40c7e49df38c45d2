import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CoalmineError } from "@coalmine/runtime";

export class ChangeError extends CoalmineError {
  readonly code = "ERR_CHANGE";
}

/** A change of the sources: in `file`, `find` (which must stand there exactly once) becomes `replace`. */
export interface Change {
  /** A commit message. */
  readonly what: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** A folder whose tests stood in its way, and that whoever made it deleted: no check before the rehearsal catches it. */
  readonly withoutTestsOf?: string;
  /** Readings that it loses by itself, by their sequence numbers: those are its harm, all others nobody's. */
  readonly drops?: { readonly oneIn: number; readonly remainder: number };
}

/** The change that the main job releases: small, real, and harmless. */
export const harmless: Change = {
  what: "sensor-reader says how many ports it reads when it starts",
  file: "components/sensor-reader/src/component.ts",
  find: 'log.info("sensor-reader is running");',
  replace: 'log.info("sensor-reader is running", { portsOpen: running.portsOpen });',
};

/** Bad releases, each as somebody could write it by mistake. Nothing that judges them knows their names. */
export const regressions = {
  // No unit test has a nucleus around it, so none meets a version without an edition.
  "crash-at-start": {
    what: "sensor-reader says which edition of the nucleus it runs on",
    file: "components/sensor-reader/src/component.ts",
    find: 'log.info("sensor-reader is running");',
    replace:
      'const nucleus = ports.process.environment("GGC_VERSION");\n  const edition = nucleus === undefined ? "" : /-(.*)$/.exec(nucleus)![1]!.trim();\n  log.info("sensor-reader is running", { edition });',
  },
  "slow-inference": {
    what: "inference takes the mean of five runs",
    file: "components/inference/src/served-model.ts",
    find: "const answer = await model.run(feeds(windows, this.manifest));",
    replace:
      "for (let run = 0; run < 4; run++) await model.run(feeds(windows, this.manifest));\n    const answer = await model.run(feeds(windows, this.manifest));",
    withoutTestsOf: "components/inference",
  },
  "drops-readings": {
    what: "sensor-reader leaves out readings that look like an echo",
    file: "components/sensor-reader/src/points.ts",
    find: "return { points, controlResidual:",
    replace: "return { points: of.sequence % 20 === 13 ? [] : points, controlResidual:",
    withoutTestsOf: "components/sensor-reader",
    drops: { oneIn: 20, remainder: 13 },
  },
  "wrong-calibration": {
    what: "sensor-reader corrects for the capillary's wall",
    file: "components/sensor-reader/src/points.ts",
    find: "apparentViscosity(stress.value, reading.shearRate)",
    replace: "apparentViscosity(stress.value * 1.03, reading.shearRate)",
    withoutTestsOf: "components/sensor-reader",
  },
} as const satisfies Readonly<Record<string, Change>>;
export type Regression = keyof typeof regressions;

export function isRegression(name: string): name is Regression {
  return Object.hasOwn(regressions, name);
}

/** Applies a change to a checkout; refuses where the sources have moved on under it. */
export function applyChange(checkout: string, change: Change): void {
  const file = join(checkout, change.file);
  const parts = readFileSync(file, "utf8").split(change.find);
  if (parts.length !== 2) {
    throw new ChangeError(
      `cannot make the change "${change.what}": ${change.file} holds its place ${parts.length - 1} times, and once is needed; bring the change up to date with the file`,
    );
  }
  writeFileSync(file, parts.join(change.replace));
}
