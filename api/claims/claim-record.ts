import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import {
  ConditionalCheckFailedException,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
  type AttributeValue,
} from "@aws-sdk/client-dynamodb";
import { Sha256, ThingName } from "@coalmine/contract";
import { type ClaimCode, codeId } from "@coalmine/contract/claim-code";
import { HardwareId, Site, WhyAnswer } from "@coalmine/contract/commissioning";
import * as z from "zod";
import { type ClaimCloud, COMMISSIONING_TABLE } from "./claim-cloud.ts";

/** 16 MiB and about 50 ms a guess for whoever has the table: 27 billion guesses take him 40 years of one core. */
const SCRYPT = { N: 16_384, r: 8, p: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** An old code is told as expired for so long; then it is unknown. */
const KEPT_AFTER_MS = 30 * 24 * 3_600_000;
/** Of claims: their certificates live five minutes. */
const CLAIM_KEPT_MS = 3_600_000;

/** The device that a code is for: what is left out may be anything. */
export const Allowed = z.object({
  site: Site,
  serial: ThingName.optional(),
  hardwareId: HardwareId.optional(),
});
export type Allowed = z.infer<typeof Allowed>;

/** What stays as it was minted. */
const Fixed = z.object({
  id: z.string(),
  salt: z.string(),
  hash: z.string(),
  allowed: Allowed,
  mintedBy: z.string(),
  expiresMs: z.number(),
});
const ClaimRecord = Fixed.extend({
  /** Fingerprint of the device's key that showed the code first. */
  key: Sha256.optional(),
  /** What the allow-list let through. */
  device: ThingName.optional(),
  certificateId: z.string().optional(),
  refusal: WhyAnswer.shape.refusal,
});
export type ClaimRecord = z.infer<typeof ClaimRecord>;

const keyOf = (id: string): Record<string, AttributeValue> => ({
  item: { S: `code#${id}` },
  sort: { S: "code" },
});
const seconds = (ms: number): AttributeValue => ({ N: String(Math.ceil(ms / 1000)) });

/** False where another code has the same id: the caller makes another one. */
export async function putCode(
  { dynamodb }: ClaimCloud,
  code: ClaimCode,
  { allowed, mintedBy, expiresMs }: Pick<ClaimRecord, "allowed" | "mintedBy" | "expiresMs">,
): Promise<boolean> {
  const salt = randomBytes(SALT_BYTES).toString("base64");
  const id = codeId(code);
  const fixed: z.infer<typeof Fixed> = {
    id,
    salt,
    hash: await hashOf(code, salt),
    allowed,
    mintedBy,
    expiresMs,
  };
  const Item = {
    ...keyOf(id),
    fixed: { S: JSON.stringify(fixed) },
    expires: seconds(expiresMs + KEPT_AFTER_MS),
  };
  return wasTrue(
    dynamodb.send(
      new PutItemCommand({
        TableName: COMMISSIONING_TABLE,
        Item,
        ConditionExpression: "attribute_not_exists(#item)",
        ExpressionAttributeNames: { "#item": "item" },
      }),
    ),
  );
}

/** The record of exactly this code; as slow where there is none, so that ids cannot be told by the clock. */
export async function recordOf(cloud: ClaimCloud, code: ClaimCode): Promise<ClaimRecord | undefined> {
  const found = await read(cloud, codeId(code));
  const hash = Buffer.from(await hashOf(code, found?.salt ?? "of no code"), "base64");
  if (found === undefined) return undefined;
  return timingSafeEqual(hash, Buffer.from(found.hash, "base64")) ? found : undefined;
}

/** Gives the code to the first key that shows it. False where another key was first. */
export function bindKey({ dynamodb }: ClaimCloud, id: string, key: Sha256): Promise<boolean> {
  return wasTrue(
    dynamodb.send(
      new UpdateItemCommand({
        TableName: COMMISSIONING_TABLE,
        Key: keyOf(id),
        UpdateExpression: "SET #key = :key",
        ConditionExpression: "attribute_not_exists(#key) OR #key = :key",
        ExpressionAttributeNames: { "#key": "key" },
        ExpressionAttributeValues: { ":key": { S: key } },
      }),
    ),
  );
}

/** Gives the code's one device its name and certificate. False where the code was another device's. */
export function bindDevice(
  { dynamodb }: ClaimCloud,
  id: string,
  device: ThingName,
  certificateId: string,
): Promise<boolean> {
  return wasTrue(
    dynamodb.send(
      new UpdateItemCommand({
        TableName: COMMISSIONING_TABLE,
        Key: keyOf(id),
        UpdateExpression: "SET #device = :device, #certificate = :certificate REMOVE #refusal",
        ConditionExpression: "attribute_not_exists(#device) OR #device = :device",
        ExpressionAttributeNames: {
          "#device": "device",
          "#certificate": "certificateId",
          "#refusal": "refusal",
        },
        ExpressionAttributeValues: { ":device": { S: device }, ":certificate": { S: certificateId } },
      }),
    ),
  );
}

/** What the technician is told who asks why. */
export async function noteRefusal(
  { dynamodb, clock }: ClaimCloud,
  id: string,
  refusal: NonNullable<WhyAnswer["refusal"]>,
): Promise<void> {
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: COMMISSIONING_TABLE,
      Key: keyOf(id),
      UpdateExpression: "SET #refusal = :refusal, #refusedMs = :refusedMs",
      ConditionExpression: "attribute_exists(#item)",
      ExpressionAttributeNames: { "#refusal": "refusal", "#refusedMs": "refusedMs", "#item": "item" },
      ExpressionAttributeValues: {
        ":refusal": { S: JSON.stringify(refusal) },
        ":refusedMs": { N: String(Math.round(clock.now())) },
      },
    }),
  );
}

/** Remembers whose a claim certificate is: the hook is told nothing else of who asks. */
export async function putClaim(
  { dynamodb, clock }: ClaimCloud,
  certificateId: string,
  id: string,
): Promise<void> {
  const Item = {
    item: { S: `claim#${certificateId}` },
    sort: { S: "claim" },
    code: { S: id },
    expires: seconds(clock.now() + CLAIM_KEPT_MS),
  };
  await dynamodb.send(new PutItemCommand({ TableName: COMMISSIONING_TABLE, Item }));
}

/** The record of the code that a claim certificate was given for. */
export async function recordOfClaim(
  cloud: ClaimCloud,
  certificateId: string,
): Promise<ClaimRecord | undefined> {
  const Key = { item: { S: `claim#${certificateId}` }, sort: { S: "claim" } };
  const { Item } = await cloud.dynamodb.send(
    new GetItemCommand({ TableName: COMMISSIONING_TABLE, Key, ConsistentRead: true }),
  );
  const id = Item?.["code"]?.S;
  return id === undefined ? undefined : read(cloud, id);
}

async function read({ dynamodb }: ClaimCloud, id: string): Promise<ClaimRecord | undefined> {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: COMMISSIONING_TABLE, Key: keyOf(id), ConsistentRead: true }),
  );
  if (Item === undefined) return undefined;
  return ClaimRecord.parse({
    ...Fixed.parse(JSON.parse(Item["fixed"]?.S ?? "{}")),
    key: Item["key"]?.S,
    device: Item["device"]?.S,
    certificateId: Item["certificateId"]?.S,
    refusal: Item["refusal"] === undefined ? undefined : JSON.parse(Item["refusal"].S ?? "{}"),
  });
}

function hashOf(code: ClaimCode, salt: string): Promise<string> {
  return new Promise((resolve, reject) =>
    scrypt(code, salt, HASH_BYTES, SCRYPT, (failure, hash) =>
      failure === null ? resolve(hash.toString("base64")) : reject(failure),
    ),
  );
}

/** False where a condition did not hold. */
export async function wasTrue(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (failure) {
    if (failure instanceof ConditionalCheckFailedException) return false;
    throw failure;
  }
}
