import { CoalmineError, messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { checkFault, Jump } from "../../cloud/control/fault-commands.ts";
import { Fault } from "../../cloud/control/fault.ts";
import { hostedFaults } from "../driven/faults.ts";
import type { DrivenRegion } from "../driven/region.ts";
import { FaultRequest } from "../driven/status.ts";
import type { Check } from "../evidence/checks.ts";

/** One thing that is broken in a scenario, at so many seconds from its beginning. */
export type Step = { readonly atSeconds: number } & (
  | { readonly on: "devices"; readonly fault: DeviceFault }
  | { readonly on: "cloud"; readonly fault: Fault }
  | { readonly on: "clock"; readonly seconds: number }
);
type DeviceFault = z.infer<typeof DeviceFault>;

/** A month: longer than any scenario. */
const AT_SECONDS_MAX = 31 * 24 * 3600;
const STEPS_MAX = 1000;

const Listed = z
  .array(z.looseObject({ atSeconds: z.number().min(0).max(AT_SECONDS_MAX), kind: z.string() }))
  .max(STEPS_MAX);
const DeviceFault = FaultRequest.refine(({ kind }) => kind !== "restore", "a cut ends by its seconds")
  .refine((fault) => fault.kind !== "cut" || fault.seconds !== undefined, "say when it ends: give seconds")
  .refine(({ thing, share }) => (thing === undefined) !== (share === undefined), "say either thing or share");
const onDevices: ReadonlySet<string> = new Set(FaultRequest.options.map(({ shape }) => shape.kind.value));

export class UnreadableStepsError extends CoalmineError {
  readonly code = "ERR_SCENARIO_STEPS";
}

/** The steps of a scenario, as JSON. `where` names them in the error. @throws UnreadableStepsError */
export function parseSteps(text: string, where: string): readonly Step[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UnreadableStepsError(`${where} is not JSON; it must hold a list of steps.`, { cause });
  }
  return read(Listed, json, where).map(({ atSeconds, ...fault }, index): Step => {
    const at = `step ${index + 1} of ${where}`;
    if (onDevices.has(fault.kind)) return { atSeconds, on: "devices", fault: read(DeviceFault, fault, at) };
    const { kind, ...jump } = fault;
    return kind === "jump-clock"
      ? { atSeconds, on: "clock", seconds: read(Jump, jump, at).seconds }
      : { atSeconds, on: "cloud", fault: read(Fault, fault, at) };
  });
}

/**
 * Has each step happen at its time, counted from now. Gives how to tell whether all of them did. @throws ServiceError
 * where one names what the region does not have.
 */
export function scheduleSteps(region: DrivenRegion, steps: readonly Step[]): () => Check {
  const failed: string[] = [];
  let happened = 0;
  for (const step of steps) {
    if (step.on === "cloud") checkFault(region.cloud, step.fault);
    if (step.on === "devices" && step.fault.thing !== undefined)
      checkFault(region.cloud, { kind: "cut", thing: step.fault.thing, seconds: 1 });
    region.clock.timer(step.atSeconds * 1000, () => {
      void take(region, step).then(
        () => happened++,
        (failure: unknown) => failed.push(`at ${step.atSeconds} s: ${messageOf(failure)}`),
      );
    });
  }
  return () => ({
    name: "every step happened",
    ok: happened === steps.length,
    found: `${happened} of ${steps.length}${failed.map((why) => `; ${why}`).join("")}`,
  });
}

async function take(region: DrivenRegion, step: Step): Promise<void> {
  if (step.on === "devices") await hostedFaults(region, step.fault);
  else if (step.on === "cloud") region.cloud.faults.inject(step.fault);
  else region.cloudClock.jump(step.seconds * 1000);
}

function read<Schema extends z.ZodType>(schema: Schema, input: unknown, at: string): z.infer<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new UnreadableStepsError(`${at} cannot be read: ${z.prettifyError(parsed.error)}`);
}
