import type { LogLine } from "@coalmine/contract/operator-api";
import type { StreamEvent } from "../door/events.ts";
import { difference, type Shape } from "../door/shape.ts";
import type { Heard } from "./desk.ts";

type Told = Pick<StreamEvent, "event" | "data">;

/** What the stream tells. Undefined for what is no event of this release: a page that is open learns no new ones. */
export function readHeard(
  { event, data }: Told,
  shapes: Readonly<Record<Heard["event"], Shape>>,
): Heard | undefined {
  const [, shape] = Object.entries(shapes).find(([name]) => name === event) ?? [];
  const value = parsed(data);
  if (shape === undefined || difference(value, shape) !== undefined) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has the shape that this type was made from.
  return { event, ...(value as object) } as Heard;
}

export function readLogLine({ event, data }: Told, shape: Shape): LogLine | undefined {
  const value = parsed(data);
  if (event !== "line" || difference(value, shape) !== undefined) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has the shape that this type was made from.
  return value as LogLine;
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
