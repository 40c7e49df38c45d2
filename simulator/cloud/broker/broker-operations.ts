import * as z from "zod";
import { invalid, notFound, operation, page, PageInput } from "../iot/operation.ts";
import type { CloudEvents, Operation } from "../service.ts";
import type { Clock } from "@coalmine/ports";
import type { Broker } from "./broker.ts";
import { awsLimits } from "./limits.ts";
import type { CarriedProperties, Message } from "./message.ts";
import { topicFault } from "./topic.ts";

const RETAINED_PAGE_MAX = 200;

/** `[{"name": "value"}, …]`: a name may come more than once. */
const UserProperties = z
  .string()
  .transform((text, context) => {
    try {
      const json: unknown = JSON.parse(text);
      return json;
    } catch {
      context.addIssue("not JSON");
      return z.NEVER;
    }
  })
  .pipe(z.array(z.record(z.string(), z.string())));

const PublishInput = z.object({
  topic: z.string(),
  qos: z.number().nullish(),
  retain: z.boolean().nullish(),
  payload: z.instanceof(Uint8Array).nullish(),
  contentType: z.string().nullish(),
  responseTopic: z.string().nullish(),
  correlationData: z.string().nullish(),
  payloadFormatIndicator: z.enum(["UNSPECIFIED_BYTES", "UTF8_DATA"]).nullish(),
  userProperties: UserProperties.nullish(),
  messageExpiry: z.number().int().nonnegative().nullish(),
});

/** The operations of the service `iotdata` that concern the broker: publishing, what is retained, connections. */
export function brokerOperations(options: {
  readonly broker: Broker;
  readonly events: CloudEvents;
  readonly clock: Clock;
}): Record<string, Operation> {
  const { broker, events, clock } = options;
  return {
    Publish: operation(PublishInput, (input) => {
      const { topic, payload, qos, messageExpiry } = input;
      const retain = input.retain === true;
      const fault = topicFault(topic, awsLimits);
      if (fault !== undefined) throw invalid(`Cannot publish: ${fault}.`);
      const body = payload ?? new Uint8Array();
      if (body.length > awsLimits.payloadBytesMax) throw invalid(`The payload is ${body.length} bytes.`);
      const properties = propertiesOf(input);
      const full = retain && body.length > 0 ? broker.retained.faultOn(topic) : undefined;
      if (full !== undefined) throw invalid(`Cannot retain: ${full}.`);
      broker.publish(topic, body, {
        qos: qos === 1 ? 1 : 0,
        retain,
        properties,
        lifeSeconds: messageExpiry ?? undefined,
      });
      events.emit({ kind: "mqtt-message", topic, payload: body, clientId: "", at: clock.now() });
      return {};
    }),
    GetRetainedMessage: operation(z.object({ topic: z.string() }), ({ topic }) => {
      const kept = broker.retained.get(topic);
      if (kept === undefined) throw notFound(`A retained message of the topic ${topic}`);
      const { message, storedAt } = kept;
      return {
        topic,
        payload: message.payload,
        qos: message.qos,
        lastModifiedTime: storedAt,
        userProperties: userPropertiesOf(message),
      };
    }),
    ListRetainedMessages: operation(
      z.object({ ...PageInput, maxResults: z.number().int().min(1).max(RETAINED_PAGE_MAX).nullish() }),
      ({ nextToken: after, maxResults }) => {
        const { items, nextToken } = page(broker.retained.all(), ({ message }) => message.topic, {
          nextToken: after,
          maxResults: maxResults ?? RETAINED_PAGE_MAX,
        });
        const retainedTopics = items.map(({ message, storedAt }) => ({
          topic: message.topic,
          payloadSize: message.payload.length,
          qos: message.qos,
          lastModifiedTime: storedAt,
        }));
        return { retainedTopics, nextToken };
      },
    ),
    DeleteConnection: operation(z.object({ clientId: z.string() }), ({ clientId }) => {
      broker.disconnect(clientId);
      return {};
    }),
  };
}

function propertiesOf(input: z.infer<typeof PublishInput>): CarriedProperties {
  const { contentType, responseTopic, correlationData, payloadFormatIndicator, userProperties } = input;
  const named: Record<string, string[]> = {};
  for (const [name, value] of (userProperties ?? []).flatMap((pair) => Object.entries(pair)))
    (named[name] ??= []).push(value);
  return {
    ...(typeof contentType === "string" ? { contentType } : {}),
    ...(typeof responseTopic === "string" ? { responseTopic } : {}),
    ...(typeof correlationData === "string"
      ? { correlationData: Buffer.from(correlationData, "base64") }
      : {}),
    ...(typeof payloadFormatIndicator === "string"
      ? { payloadFormatIndicator: payloadFormatIndicator === "UTF8_DATA" }
      : {}),
    ...(userProperties ? { userProperties: named } : {}),
  };
}

/** The reverse, as bytes; undefined where there are none. */
function userPropertiesOf({ properties: { userProperties } }: Message): Uint8Array | undefined {
  if (userProperties === undefined) return undefined;
  const pairs = Object.entries(userProperties).flatMap(([name, values]) =>
    [values].flat().map((value) => ({ [name]: value })),
  );
  return Buffer.from(JSON.stringify(pairs));
}
