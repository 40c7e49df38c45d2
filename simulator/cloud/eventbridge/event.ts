import * as z from "zod";
import type { Instant } from "@coalmine/ports";
import type { Place } from "../service.ts";

/** An event as targets get it. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html */
export interface BusEvent {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: object;
}

export function busEvent(
  told: {
    readonly source: string;
    readonly detailType: string;
    readonly resources: readonly string[];
    readonly detail: object;
    readonly at: Instant;
  },
  id: string,
  place: Place,
): BusEvent {
  return {
    version: "0",
    id,
    "detail-type": told.detailType,
    source: told.source,
    account: place.accountId,
    time: `${new Date(told.at).toISOString().slice(0, 19)}Z`,
    region: place.region,
    resources: told.resources,
    detail: told.detail,
  };
}

const Detail = z.record(z.string(), z.unknown());
const Entry = z.object({
  Time: z.date().optional(),
  Source: z.string().optional(),
  Resources: z.array(z.string()).default([]),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: z.string().optional(),
});
export const Entries = z.array(Entry);

export type ReadEntry =
  | { readonly event: Parameters<typeof busEvent>[0] }
  | { readonly code: string; readonly message: string };

/** One entry of PutEvents: an event, or what the answer says of it. */
export function readEntry(entry: z.infer<typeof Entry>, now: Instant): ReadEntry {
  const { Source: source, DetailType: detailType, Detail: text } = entry;
  if (source === undefined || source === "") return lacking("Source");
  if (detailType === undefined || detailType === "") return lacking("DetailType");
  if (text === undefined) return lacking("Detail");
  if (source.startsWith("aws."))
    return { code: "NotAuthorizedForSourceException", message: `Not authorized for the source ${source}.` };
  const detail = Detail.safeParse(jsonOf(text)).data;
  if (detail === undefined) return { code: "MalformedDetail", message: "Detail is malformed." };
  return {
    event: { source, detailType, resources: entry.Resources, detail, at: entry.Time?.getTime() ?? now },
  };
}

function lacking(name: string): ReadEntry {
  return {
    code: "InvalidArgument",
    message: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
