import * as z from "zod";
import type { Broker } from "../broker/broker.ts";
import { brokerOperations } from "../broker/broker-operations.ts";
import { operation } from "../iot/operation.ts";
import type { CloudEvents, Service } from "../service.ts";
import type { Clock, JsonObject } from "@coalmine/ports";
import type { ShadowId, Shadows } from "./shadows.ts";

const ShadowInput = z.object({ thingName: z.string(), shadowName: z.string().nullish() });
const Payload = z.instanceof(Uint8Array);

/** The service `iotdata`: shadows and the broker over HTTP. */
export function iotDataService(options: {
  readonly shadows: Shadows;
  readonly broker: Broker;
  readonly events: CloudEvents;
  readonly clock: Clock;
}): Service {
  const { shadows, clock } = options;
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
      ...brokerOperations(options),
    },
  };
}
