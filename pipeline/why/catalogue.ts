import { deviceCodes } from "./device-codes.ts";
import type { Entry } from "./entry.ts";
import { beginnings, failures, outcomes, phases, verdicts } from "./phases.ts";
import { releaseCodes } from "./release-codes.ts";
import { componentStatuses, detailedStatuses, errorTypes, executionStatuses } from "./statuses.ts";

const deploymentCodes: ReadonlyMap<string, Entry> = new Map(
  Object.entries({ ...releaseCodes, ...deviceCodes }),
);
const types: ReadonlyMap<string, Entry> = new Map(Object.entries(errorTypes));
const components: ReadonlyMap<string, Entry> = new Map(Object.entries(componentStatuses));
const executions: ReadonlyMap<string, Entry> = new Map(Object.entries(executionStatuses));

/** Every word that a rollout, its judge or a device may give as a reason, with what it means and what to do. */
export const catalogue: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ...types,
  ...executions,
  ...Object.entries(detailedStatuses),
  ...components,
  ...deploymentCodes,
  ...Object.entries(verdicts),
  ...Object.entries(outcomes),
  ...Object.entries(beginnings),
  ...Object.entries(failures),
  ...Object.entries(phases).map(([phase, { what, next }]): [string, Entry] => [
    phase,
    [what, next("ROLLOUT").replace(/\.$/, "")],
  ]),
]);

interface Explained {
  readonly code: string;
  readonly entry: Entry;
}

/** Every stack begins with one of these: it says only that there was a failure. */
const generalCodes = new Set(["DEPLOYMENT_FAILURE", "DEPLOYMENT_REJECTED"]);

/** The code of a failed deployment that says most, and what it means: the innermost that is known, or else its type. */
export function explainDeployment(
  errorStack: readonly string[],
  errorTypes: readonly string[],
): Explained | undefined {
  const telling = errorStack.filter((code) => !generalCodes.has(code)).toReversed();
  const known = firstKnown(deploymentCodes, telling);
  if (known !== undefined) return known;
  const type = firstKnown(types, errorTypes);
  if (type !== undefined) return { ...type, code: telling[0] ?? type.code };
  return firstKnown(deploymentCodes, errorStack);
}

export function explainComponent(codes: readonly string[]): Explained | undefined {
  return firstKnown(components, codes);
}

function firstKnown(entries: ReadonlyMap<string, Entry>, codes: readonly string[]): Explained | undefined {
  for (const code of codes) {
    const entry = entries.get(code);
    if (entry !== undefined) return { code, entry };
  }
  return undefined;
}

/** How a deployment stands on a device, by the detailed status in its reason, or by its status alone. */
export function explainExecution(status: string, reason: string): Entry {
  const detailed = Object.entries(detailedStatuses).find(
    ([name]) => name !== "SUCCESSFUL" && reason.includes(name),
  );
  return (
    detailed?.[1] ?? executions.get(status) ?? [`its deployment is ${status}`, "look at greengrass.log there"]
  );
}
