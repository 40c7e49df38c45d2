import { isJsonObject, type JsonObject, type JsonValue, member } from "./json.ts";

export const stepNames = [
  "bootstrap",
  "install",
  "startup",
  "run",
  "shutdown",
  "recover",
  "uninstall",
] as const;
export type StepName = (typeof stepNames)[number];

/** Seconds after which a step is killed where it does not say; `run` runs for as long as it likes. */
export const STEP_TIMEOUT_SECONDS: Readonly<Record<StepName, number | undefined>> = {
  bootstrap: 120,
  install: 120,
  startup: 120,
  run: undefined,
  shutdown: 15,
  recover: 60,
  uninstall: 120,
};
/** How long a component must have been without errors for earlier ones to be forgotten. */
export const ERROR_RESET_TIME_SECONDS = 3600;

/** The step is skipped where the condition holds, or, `negated`, where it does not. */
export interface SkipIf {
  readonly condition: "onpath" | "exists";
  readonly argument: string;
  readonly negated: boolean;
}

export interface Step {
  readonly script: string;
  /** Undefined means without end. */
  readonly timeoutSeconds: number | undefined;
  readonly requiresPrivilege: boolean;
  readonly skipIf?: SkipIf;
  /** The lifecycle's own `Setenv` with the step's over it. */
  readonly setenv: Readonly<Record<string, string>>;
}

export interface LifecycleSteps {
  readonly steps: Readonly<Partial<Record<StepName, Step>>>;
  /** What is wrong with a step that is written but cannot be run: its `…_CONFIG_NOT_VALID` when its turn comes. */
  readonly faults: Readonly<Partial<Record<StepName, string>>>;
  readonly setenv: Readonly<Record<string, string>>;
  readonly errorResetTimeSeconds: number;
  /** Whether `bootstrap` runs again when a deployment is rolled back. */
  readonly bootstrapOnRollback: boolean;
}

/** Reads a selected, interpolated lifecycle. Never throws: a step at fault concerns the component when it comes to it. */
export function parseSteps(lifecycle: JsonObject): LifecycleSteps {
  const setenv = environmentOf(member(lifecycle, "Setenv"));
  const steps: Partial<Record<StepName, Step>> = {};
  const faults: Partial<Record<StepName, string>> = {};
  for (const name of stepNames) {
    const written = member(lifecycle, name);
    const read = isEmpty(written) ? undefined : readStep(name, written, setenv);
    if (typeof read === "string") faults[name] = read;
    else if (read !== undefined) steps[name] = read;
  }
  const bootstrap = member(lifecycle, "Bootstrap");
  return {
    steps,
    faults,
    setenv,
    errorResetTimeSeconds: secondsOf(member(lifecycle, "errorResetTime")) ?? ERROR_RESET_TIME_SECONDS,
    bootstrapOnRollback: isJsonObject(bootstrap) && isTrue(member(bootstrap, "BootstrapOnRollback")),
  };
}

/** The step, or the sentence that says why it is none. */
function readStep(
  name: StepName,
  written: JsonValue | undefined,
  outer: Readonly<Record<string, string>>,
): Step | string {
  const map: JsonObject = isJsonObject(written) ? written : { Script: written ?? null };
  const script = member(map, "Script");
  if (typeof script !== "string" || script === "")
    return `the ${name} step has no Script; write it as text, or as a map with the key Script`;
  const timeout = member(map, "Timeout");
  const timeoutSeconds = isEmpty(timeout) ? STEP_TIMEOUT_SECONDS[name] : secondsOf(timeout);
  if (!isEmpty(timeout) && timeoutSeconds === undefined)
    return `the ${name} step has Timeout ${JSON.stringify(timeout)}; write a number of seconds`;
  const skip = member(map, "Skipif");
  const skipIf = isEmpty(skip) ? undefined : skipIfOf(skip);
  if (!isEmpty(skip) && skipIf === undefined)
    return `the ${name} step has Skipif ${JSON.stringify(skip)}; write "onpath <program>" or "exists <path>", with ! before it for the contrary`;
  return {
    script,
    timeoutSeconds,
    requiresPrivilege: isTrue(member(map, "RequiresPrivilege")),
    ...(skipIf === undefined ? {} : { skipIf }),
    setenv: { ...outer, ...environmentOf(member(map, "Setenv")) },
  };
}

function skipIfOf(value: JsonValue | undefined): SkipIf | undefined {
  const match = typeof value === "string" ? /^(!?) *(exists|onpath) +(.+)$/.exec(value.trim()) : null;
  const [, mark, condition, argument] = match ?? [];
  if (argument === undefined) return undefined;
  return { condition: condition === "exists" ? "exists" : "onpath", argument, negated: mark === "!" };
}

/** Values are taken as text, whatever YAML made of them. */
function environmentOf(value: JsonValue | undefined): Record<string, string> {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      typeof each === "string" ? each : each === null ? "" : JSON.stringify(each),
    ]),
  );
}

function secondsOf(value: JsonValue | undefined): number | undefined {
  const seconds = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof seconds === "number" && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

function isTrue(value: JsonValue | undefined): boolean {
  return value === true || (typeof value === "string" && value.toLowerCase() === "true");
}

function isEmpty(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || value === "";
}
