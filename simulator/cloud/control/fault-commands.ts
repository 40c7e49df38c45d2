import type { Instant } from "@coalmine/ports";
import * as z from "zod";
import { ServiceError } from "../service.ts";
import type { ControlDoor } from "./control-door.ts";
import { Fault } from "./fault.ts";
import type { ActiveFault, Faults } from "./faults.ts";

/** What can be named in a fault. */
export interface Breakable {
  readonly faults: Faults;
  /** Services and their operations. */
  operationsOf(service: string): readonly string[] | undefined;
  hasThing(thingName: string): boolean;
}

const Clear = z.strictObject({ id: z.string().optional() });
/** A year at a time is enough for every expiry. */
export const Jump = z.strictObject({
  seconds: z
    .number()
    .positive()
    .max(366 * 24 * 3600),
});

/** `inject-fault`, `list-faults` and `clear-faults`. */
export function addFaultCommands(control: ControlDoor, of: Breakable): void {
  control.add("inject-fault", (input) => {
    const fault = read(Fault, input);
    checkFault(of, fault);
    return told(of.faults.inject(fault));
  });
  control.add("list-faults", () => ({ faults: of.faults.list().map(told) }));
  control.add("clear-faults", (input) => ({ cleared: of.faults.clear(read(Clear, input).id) }));
}

/** @throws ServiceError where the fault names what is not here. */
export function checkFault(of: Breakable, fault: Fault): void {
  if ("service" in fault) {
    const operations = of.operationsOf(fault.service);
    if (operations === undefined) throw refused(`There is no service ${fault.service} here.`);
    if (fault.operation !== undefined && !operations.includes(fault.operation))
      throw refused(`${fault.service} has no operation ${fault.operation} here.`);
  }
  if (fault.thing !== undefined && !of.hasThing(fault.thing))
    throw refused(`There is no thing ${fault.thing}.`);
}

/** `jump-clock`: so much time passes at once. */
export function addJumpCommand(control: ControlDoor, jump: (durationMs: number) => Instant): void {
  control.add("jump-clock", (input) => ({ now: jump(read(Jump, input).seconds * 1000) }));
}

function told({ id, fault, strikes, endsAt }: ActiveFault): object {
  return { id, ...fault, strikes, ...(endsAt === undefined ? {} : { endsAt }) };
}

function read<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw refused(z.prettifyError(parsed.error));
}

function refused(why: string): ServiceError {
  return new ServiceError("ValidationException", 400, why);
}
