import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { type ClaimCloud, COMMISSIONING_TABLE } from "./claim-cloud.ts";
import { wasTrue } from "./claim-record.ts";

const MINUTE_MS = 60_000;
/**
 * Wrong codes from one address within a minute. Right ones do not count: a hospital's devices come from one address. At
 * this rate one address finds one of a thousand live codes in five million years.
 */
export const TRIES_MAX = 10;

/** More devices than that may be switched on at once behind one address; each gives its try back within moments. */
const WAITS_MS = [100, 200, 400, 800];

/** Where a try was counted: of one address, in one minute. */
export interface Try {
  readonly source: string;
  readonly minute: number;
}

/**
 * Takes a try before anything is looked up, so that tries at the same time cannot be more. Undefined where none is left, nor
 * is after a second and a half.
 */
export async function tried(cloud: ClaimCloud, source: string): Promise<Try | undefined> {
  for (const waitMs of WAITS_MS) {
    const taken = await take(cloud, source);
    if (taken !== undefined) return taken;
    await cloud.clock.sleep(waitMs);
  }
  return take(cloud, source);
}

async function take(cloud: ClaimCloud, source: string): Promise<Try | undefined> {
  const one = { source, minute: Math.floor(cloud.clock.now() / MINUTE_MS) };
  const isTaken = await wasTrue(
    cloud.dynamodb.send(
      new UpdateItemCommand({
        ...itemOf(one),
        UpdateExpression: "ADD #tries :one SET #expires = :expires",
        ConditionExpression: "attribute_not_exists(#tries) OR #tries < :max",
        ExpressionAttributeNames: { "#tries": "tries", "#expires": "expires" },
        ExpressionAttributeValues: {
          ":one": { N: "1" },
          ":max": { N: String(TRIES_MAX) },
          ":expires": { N: String(Math.ceil((cloud.clock.now() + 2 * MINUTE_MS) / 1000)) },
        },
      }),
    ),
  );
  return isTaken ? one : undefined;
}

/** The code was right: its try is given back to the minute that it was taken from, which may be over. */
export async function forgiven(cloud: ClaimCloud, taken: Try): Promise<void> {
  await cloud.dynamodb.send(
    new UpdateItemCommand({
      ...itemOf(taken),
      UpdateExpression: "ADD #tries :back",
      ExpressionAttributeNames: { "#tries": "tries" },
      ExpressionAttributeValues: { ":back": { N: "-1" } },
    }),
  );
}

function itemOf({ source, minute }: Try) {
  return {
    TableName: COMMISSIONING_TABLE,
    Key: { item: { S: `tries#${source}` }, sort: { S: String(minute) } },
  };
}
