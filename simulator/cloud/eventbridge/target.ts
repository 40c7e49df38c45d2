import * as z from "zod";
import { ServiceError } from "../service.ts";
import type { BusEvent } from "./event.ts";
import { limits } from "./limits.ts";

export const Target = z.object({
  Id: z.string().regex(/^[.\-_A-Za-z0-9]{1,64}$/),
  Arn: z
    .string()
    .regex(/^arn:aws:(?:lambda:[^:]*:[^:]*:function:|sns:|logs:[^:]*:[^:]*:log-group:|kinesis:|firehose:)./, {
      message: "is no function, topic, log group or stream; other targets are not simulated",
    }),
  RoleArn: z.string().optional(),
  Input: z.string().max(limits.inputCharactersMax).optional(),
  InputPath: z.string().max(256).optional(),
  InputTransformer: z
    .object({
      InputPathsMap: z.record(z.string().regex(/^[\w-]{1,256}$/), z.string()).default({}),
      InputTemplate: z.string().min(1).max(limits.inputCharactersMax),
    })
    .optional(),
});
export type Target = z.infer<typeof Target>;

/** What a target gets of an event: all of it, a part of it, or what the target says. As JSON's value. */
export function inputOf(target: Target, event: BusEvent): unknown {
  if (target.Input !== undefined) return JSON.parse(target.Input);
  if (target.InputPath !== undefined) return atPath(event, target.InputPath);
  return target.InputTransformer === undefined ? event : transformed(target.InputTransformer, event);
}

/** @throws ServiceError where an Input is not JSON or more than one says what the target gets. */
export function checkTarget(target: Target): Target {
  const { Input, InputPath, InputTransformer } = target;
  if ([Input, InputPath, InputTransformer].filter((one) => one !== undefined).length > 1)
    throw new ServiceError(
      "ValidationException",
      400,
      `Only one of Input, InputPath and InputTransformer may be given for target ${target.Id}.`,
    );
  try {
    if (Input !== undefined) JSON.parse(Input);
  } catch {
    throw new ServiceError("ValidationException", 400, `JSON syntax error in Input for target ${target.Id}.`);
  }
  return target;
}

/** `$.detail.key`, `$.resources[0]`; undefined where there is nothing. */
function atPath(event: unknown, path: string): unknown {
  let at: unknown = event;
  for (const [part, index] of path.matchAll(/[^.[\]]+(?:\[(\d+)\])?|\[(\d+)\]/g)) {
    const name = part.replace(/\[\d+\]$/, "");
    if (name !== "$") at = memberOf(at, name);
    if (index !== undefined) at = memberOf(at, index);
  }
  return at;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}

/** `<name>` is filled in: as it is where it stands in quotes, as JSON elsewhere. What is no JSON then is a text. */
function transformed(
  { InputPathsMap, InputTemplate }: NonNullable<Target["InputTransformer"]>,
  event: BusEvent,
): unknown {
  const valueOf = (name: string): unknown => {
    if (name === "aws.events.event.json") return event;
    if (name === "aws.events.event.ingestion-time") return event.time;
    const path = Object.hasOwn(InputPathsMap, name) ? InputPathsMap[name] : undefined;
    return path === undefined ? undefined : atPath(event, path);
  };
  const filled = InputTemplate.replaceAll(
    /"(?:[^"\\]|\\.)*"|<([\w.-]+)>/g,
    (found, name: string | undefined) =>
      name === undefined
        ? found.replaceAll(/<([\w.-]+)>/g, (_inner, inQuotes: string) => quoted(valueOf(inQuotes)))
        : (JSON.stringify(valueOf(name)) ?? '""'),
  );
  try {
    return JSON.parse(filled);
  } catch {
    return filled;
  }
}

/** A value inside of a text. */
function quoted(value: unknown): string {
  const text = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
}
