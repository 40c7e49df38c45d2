import * as z from "zod";
import type { Instant } from "@coalmine/ports";
import { invalid } from "./errors.ts";
import { limits } from "./limits.ts";

const Attribute = z.union([
  z.object({
    DataType: z.string().regex(/^(String|Number|String\.Array)(\..+)?$/),
    StringValue: z.string().min(1),
  }),
  z.object({ DataType: z.string().regex(/^Binary(\..+)?$/), BinaryValue: z.instanceof(Uint8Array) }),
]);
export const MessageInput = z.object({
  Message: z.string().min(1, "Empty message"),
  Subject: z
    .string()
    .min(1)
    .max(limits.subjectCharactersMax)
    .regex(/^[\x20-\x7e]*$/, "must be ASCII without line ends")
    .optional(),
  MessageStructure: z.literal("json").optional(),
  MessageAttributes: z.record(z.string(), Attribute).default({}),
});
export type MessageInput = z.infer<typeof MessageInput>;

export interface Message {
  readonly id: string;
  readonly topicArn: string;
  readonly subject: string | undefined;
  /** For a protocol that the message says nothing of: `default`. */
  readonly texts: Readonly<Record<string, string>>;
  readonly attributes: MessageInput["MessageAttributes"];
  readonly at: Instant;
}

/** The text for each protocol. @throws ServiceError where the message is too large, or not what MessageStructure says. */
export function textsOf({
  Message: text,
  MessageStructure,
  MessageAttributes,
}: MessageInput): Message["texts"] {
  const attributeBytes = Buffer.byteLength(JSON.stringify(MessageAttributes));
  if (Buffer.byteLength(text, "utf8") + attributeBytes > limits.messageBytesMax)
    throw invalid("Message too long");
  if (MessageStructure === undefined) return { default: text };
  const texts = z.record(z.string(), z.string()).safeParse(jsonOf(text)).data;
  if (texts?.["default"] === undefined)
    throw invalid("Message Structure - No default entry in JSON message body");
  return texts;
}

/** Attributes as filter policies look at them. */
export function filterable({ attributes }: Message): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, attribute]) => {
      if (!("StringValue" in attribute)) return [];
      const { DataType, StringValue } = attribute;
      if (DataType.startsWith("Number")) return [[name, Number(StringValue)]];
      return [[name, DataType.startsWith("String.Array") ? jsonOf(StringValue) : StringValue]];
    }),
  );
}

/** The notification that functions and HTTP endpoints get. There is no signature. */
export function notification(
  message: Message,
  text: string,
  unsubscribeUrl: string,
): Record<string, unknown> {
  return {
    Type: "Notification",
    MessageId: message.id,
    TopicArn: message.topicArn,
    ...(message.subject === undefined ? {} : { Subject: message.subject }),
    Message: text,
    Timestamp: new Date(message.at).toISOString(),
    UnsubscribeURL: unsubscribeUrl,
    MessageAttributes: Object.fromEntries(
      Object.entries(message.attributes).map(([name, attribute]) => [
        name,
        {
          Type: attribute.DataType,
          Value:
            "StringValue" in attribute
              ? attribute.StringValue
              : Buffer.from(attribute.BinaryValue).toString("base64"),
        },
      ]),
    ),
  };
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
