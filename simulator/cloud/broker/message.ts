import type { Instant } from "@coalmine/ports";
import * as z from "zod";

/** The properties of an MQTT 5 PUBLISH that travel with the message to its receivers. */
const Carried = {
  payloadFormatIndicator: z.boolean().exactOptional(),
  contentType: z.string().exactOptional(),
  responseTopic: z.string().exactOptional(),
  correlationData: z.instanceof(Buffer).exactOptional(),
  userProperties: z.record(z.string(), z.union([z.string(), z.array(z.string())])).exactOptional(),
};
export const CarriedProperties = z.object(Carried);
export type CarriedProperties = z.infer<typeof CarriedProperties>;

/** Of every publication that has any: compiled, it is read in a third of the time. */
const PublishProperties = z.compile(
  z.object({
    ...Carried,
    messageExpiryInterval: z.number().int().nonnegative().exactOptional(),
    topicAlias: z.number().int().min(1).exactOptional(),
  }),
);

/** All the properties a client may give a PUBLISH, which the parser checks none of; undefined where one is wrong. */
export function publishProperties(given: unknown): z.infer<typeof PublishProperties> | undefined {
  // Most messages have none.
  return given === undefined ? {} : PublishProperties.safeParse(given).data;
}

export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly properties: CarriedProperties;
  readonly expiresAt: Instant | undefined;
}

/** A message as the store keeps it: JSON. */
export interface StoredMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly properties?: Omit<CarriedProperties, "correlationData"> & { readonly correlation?: string };
  readonly expiresAt?: Instant;
}

export function toStored(message: Message): StoredMessage {
  const { correlationData, ...properties } = message.properties;
  return {
    topic: message.topic,
    payload: Buffer.from(message.payload).toString("base64"),
    qos: message.qos,
    retain: message.retain,
    ...(Object.keys(message.properties).length === 0
      ? {}
      : {
          properties: {
            ...properties,
            ...(correlationData === undefined ? {} : { correlation: correlationData.toString("base64") }),
          },
        }),
    ...(message.expiresAt === undefined ? {} : { expiresAt: message.expiresAt }),
  };
}

export function fromStored(stored: StoredMessage): Message {
  const { correlation, ...properties } = stored.properties ?? {};
  return {
    topic: stored.topic,
    payload: Buffer.from(stored.payload, "base64"),
    qos: stored.qos,
    retain: stored.retain,
    properties: {
      ...properties,
      ...(correlation === undefined ? {} : { correlationData: Buffer.from(correlation, "base64") }),
    },
    expiresAt: stored.expiresAt,
  };
}

export function isExpired(message: Message, now: Instant): boolean {
  return message.expiresAt !== undefined && message.expiresAt <= now;
}
