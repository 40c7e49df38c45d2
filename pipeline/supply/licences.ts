import { BuildError } from "../build/build-error.ts";
import type { LockedPackage } from "./locked-packages.ts";

/** What may lie in an artifact: licences that ask for no more than their text and notices beside it. */
const ALLOWED: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "ISC",
  "MIT",
]);

/** Whether an SPDX expression can be met by allowed licences alone; `WITH` and what is not read are not allowed. */
export function isAllowed(expression: string): boolean {
  const words = expression.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  // Any of several, each of them all of several, each of them a licence or an expression in brackets.
  const either = (): boolean => {
    let met = every();
    while (words[at] === "OR") {
      at++;
      // Not `||` alone: the rest has to be read in any case.
      met = every() || met;
    }
    return met;
  };
  const every = (): boolean => {
    let met = one();
    while (words[at] === "AND") {
      at++;
      met = one() && met;
    }
    return met;
  };
  const one = (): boolean => {
    const word = words[at++] ?? "";
    if (word !== "(") return ALLOWED.has(word);
    const met = either();
    return words[at++] === ")" && met;
  };
  const met = either();
  return met && at === words.length;
}

/** Refuses to bundle what may not be. */
export function checkLicences(component: string, packages: readonly LockedPackage[]): void {
  const faults = packages
    .filter(({ licence }) => licence === undefined || !isAllowed(licence))
    .map(({ name, version, licence }) => `${name} ${version} (${licence ?? "no licence stated"})`);
  if (faults.length > 0)
    throw new BuildError(
      "ERR_BUILD_LICENCE",
      `${component} would contain ${faults.join(", ")}, and only ${[...ALLOWED].join(", ")} may be in an artifact; take another library, or have the licence examined and add it to pipeline/supply/licences.ts`,
    );
}
