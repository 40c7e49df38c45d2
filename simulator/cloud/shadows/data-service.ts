import * as z from "zod";
import type { Broker } from "../broker/broker.ts";
import { awsLimits } from "../broker/limits.ts";
import { topicFault } from "../broker/topic.ts";
import { invalid, operation } from "../iot/operation.ts";
import type { CloudEvents, Service } from "../service.ts";
import type { Clock, JsonObject } from "@coalmine/ports";
import type { ShadowId, Shadows } from "./shadows.ts";

const ShadowInput = z.object({ thingName: z.string(), shadowName: z.string().nullish() });
const Payload = z.instanceof(Uint8Array);

/** The service `iotdata`: shadows and publishing over HTTP. */
export function iotDataService(options: {
  readonly shadows: Shadows;
  readonly broker: Broker;
  readonly events: CloudEvents;
  readonly clock: Clock;
}): Service {
  const { shadows, broker, events, clock } = options;
  const idOf = ({ thingName, shadowName }: z.infer<typeof ShadowInput>): ShadowId => ({
    thingName,
    shadowName: shadowName === null || shadowName === "" ? undefined : shadowName,
  });
  const bytes = (body: JsonObject) => ({ payload: Buffer.from(JSON.stringify(body)) });
  return {
    signingName: "iotdata",
    operations: {
      GetThingShadow: operation(ShadowInput, (input) => bytes(shadows.get(idOf(input)))),
      UpdateThingShadow: operation(ShadowInput.extend({ payload: Payload }), (input) =>
        bytes(shadows.update(idOf(input), input.payload)),
      ),
      DeleteThingShadow: operation(ShadowInput, (input) => bytes(shadows.delete(idOf(input)))),
      ListNamedShadowsForThing: operation(z.object({ thingName: z.string() }), ({ thingName }) => ({
        results: shadows.namesOf(thingName),
        timestamp: Math.floor(clock.now() / 1000),
      })),
      Publish: operation(
        z.object({
          topic: z.string(),
          qos: z.number().nullish(),
          retain: z.boolean().nullish(),
          payload: Payload.nullish(),
          contentType: z.string().nullish(),
          responseTopic: z.string().nullish(),
        }),
        ({ topic, qos, retain, payload, contentType, responseTopic }) => {
          const fault = topicFault(topic, awsLimits);
          if (fault !== undefined) throw invalid(`Cannot publish: ${fault}.`);
          const body = payload ?? new Uint8Array();
          if (body.length > awsLimits.payloadBytesMax) throw invalid(`The payload is ${body.length} bytes.`);
          broker.publish(topic, body, {
            qos: qos === 1 ? 1 : 0,
            retain: retain === true,
            properties: {
              ...(typeof contentType === "string" ? { contentType } : {}),
              ...(typeof responseTopic === "string" ? { responseTopic } : {}),
            },
          });
          events.emit({ kind: "mqtt-message", topic, payload: body, clientId: "", at: clock.now() });
          return {};
        },
      ),
      DeleteConnection: operation(z.object({ clientId: z.string() }), ({ clientId }) => {
        broker.disconnect(clientId);
        return {};
      }),
    },
  };
}
