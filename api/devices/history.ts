import { paginateQuery, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { ThingName } from "@coalmine/contract";
import * as z from "zod";
import { type ClaimCloud, COMMISSIONING_TABLE } from "../claims/claim-cloud.ts";
import { wasTrue } from "../claims/claim-record.ts";

/** Events of one device within a millisecond. */
const SAME_TIME_MAX = 100;

const text = z.string();
const who = { who: text, reason: text };

/** What happened to a device, in the order of `at`. */
export const DeviceEvent = z.discriminatedUnion("kind", [
  /** Its code let it become a thing. */
  z.object({ kind: z.literal("allowed"), code: text, site: text, hardwareId: text, certificateId: text }),
  /** Its code was shown by another, or again. */
  z.object({ kind: z.literal("replayed"), code: text, why: text }),
  /** Its technician's report has arrived; the report itself lies in the bucket under `key`. */
  z.object({
    kind: z.literal("commissioned"),
    who: text,
    site: text,
    finishedAt: text,
    certificateId: text,
    passed: z.boolean(),
    ports: z.array(z.object({ port: text, passed: z.boolean(), sentence: text })),
    sha256: text,
    key: text,
  }),
  /** It connects with a new certificate, and those that it had do not count any more. */
  z.object({ kind: z.literal("rotated"), certificateId: text, revoked: z.array(text) }),
  /** It is being taken out of the fleet; these certificates go. */
  z.object({
    kind: z.literal("retiring"),
    ...who,
    as: z.enum(["decommission", "rehome", "swap"]),
    site: text,
    hardwareId: text,
    certificateIds: z.array(text),
  }),
  /** It is out: nothing of it counts any more. `nextCode` is the id of the code by which it comes back. */
  z.object({ kind: z.literal("retired"), ...who, as: text, nextCode: text.optional() }),
]);
export type DeviceEvent = z.infer<typeof DeviceEvent>;
export type KeptEvent = DeviceEvent & { readonly at: string };

/** Appends; nothing that was written is ever changed. Gives the time by which the event is known. */
export async function addHistory(
  { dynamodb, clock }: Pick<ClaimCloud, "dynamodb" | "clock">,
  thing: ThingName,
  event: DeviceEvent,
): Promise<string> {
  const nowMs = Math.floor(clock.now());
  for (let later = 0; later < SAME_TIME_MAX; later++) {
    const at = new Date(nowMs + later).toISOString();
    const added = await wasTrue(
      dynamodb.send(
        new PutItemCommand({
          TableName: COMMISSIONING_TABLE,
          Item: { item: { S: `device#${thing}` }, sort: { S: at }, event: { S: JSON.stringify(event) } },
          ConditionExpression: "attribute_not_exists(#item)",
          ExpressionAttributeNames: { "#item": "item" },
        }),
      ),
    );
    if (added) return at;
  }
  throw new Error(`${SAME_TIME_MAX} events of ${thing} have the time ${new Date(nowMs).toISOString()}`);
}

/** Oldest first. */
export async function historyOf(
  { dynamodb }: Pick<ClaimCloud, "dynamodb">,
  thing: ThingName,
): Promise<KeptEvent[]> {
  const events: KeptEvent[] = [];
  const pages = paginateQuery(
    { client: dynamodb },
    {
      TableName: COMMISSIONING_TABLE,
      ConsistentRead: true,
      KeyConditionExpression: "#item = :item",
      ExpressionAttributeNames: { "#item": "item" },
      ExpressionAttributeValues: { ":item": { S: `device#${thing}` } },
    },
  );
  for await (const { Items = [] } of pages)
    for (const { sort, event } of Items)
      events.push({ at: sort?.S ?? "", ...DeviceEvent.parse(JSON.parse(event?.S ?? "{}")) });
  return events;
}
