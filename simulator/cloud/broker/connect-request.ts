import type { IConnectPacket } from "mqtt-packet";
import * as z from "zod";
import type { BrokerLimits } from "./limits.ts";
import { CarriedProperties, type Message } from "./message.ts";
import { topicFault } from "./topic.ts";

/** What a client asks for in its CONNECT, within what AWS grants. */
export interface ConnectRequest {
  readonly protocolVersion: 4 | 5;
  /** Empty where the broker is to choose. */
  readonly clientId: string;
  readonly clean: boolean;
  readonly keepAliveSeconds: number;
  readonly sessionExpirySeconds: number;
  readonly receiveMaximum: number;
  readonly packetBytesMax: number;
  readonly will:
    | { readonly message: Message; readonly delaySeconds: number; readonly lifeSeconds?: number }
    | undefined;
}

/** A refusal with the code that CONNACK carries: MQTT 5's, and 3.1.1's. */
export interface ConnectRefusal {
  readonly reasonCode: number;
  readonly returnCode: number;
  readonly why: string;
}

const Properties = z.object({
  sessionExpiryInterval: z.number().int().nonnegative().optional(),
  receiveMaximum: z.number().int().min(1).optional(),
  maximumPacketSize: z.number().int().min(1).optional(),
  authenticationMethod: z.string().optional(),
});
const WillProperties = CarriedProperties.extend({
  willDelayInterval: z.number().int().nonnegative().optional(),
  messageExpiryInterval: z.number().int().nonnegative().optional(),
});

/** Reads a CONNECT. The parser checks no property, so they are checked here. */
export function connectRequest(
  packet: IConnectPacket,
  limits: BrokerLimits,
): ConnectRequest | ConnectRefusal {
  const version = packet.protocolVersion;
  if (version !== 4 && version !== 5)
    return {
      reasonCode: 0x84,
      returnCode: 1,
      why: `MQTT version ${version} is not spoken here, 3.1.1 and 5 are`,
    };
  const properties = Properties.safeParse(packet.properties ?? {});
  if (!properties.success) return { reasonCode: 0x82, returnCode: 2, why: "a CONNECT property is wrong" };
  if (properties.data.authenticationMethod !== undefined)
    return { reasonCode: 0x8c, returnCode: 5, why: "enhanced authentication is not supported" };
  const clean = packet.clean ?? true;
  const bytes = Buffer.byteLength(packet.clientId);
  if (
    bytes > limits.clientIdBytesMax ||
    packet.clientId.startsWith("$") ||
    (bytes === 0 && version === 4 && !clean)
  )
    return {
      reasonCode: 0x85,
      returnCode: 2,
      why: `the client id "${packet.clientId.slice(0, 200)}" is not allowed`,
    };
  const will = packet.will === undefined ? undefined : readWill(packet.will, limits);
  if (will !== undefined && "why" in will) return will;
  const asked = packet.keepalive ?? 0;
  const most = limits.keepAliveSecondsMax;
  return {
    protocolVersion: version,
    clientId: packet.clientId,
    clean,
    keepAliveSeconds: asked === 0 ? most : Math.min(most, Math.max(limits.keepAliveSecondsMin, asked)),
    sessionExpirySeconds:
      version === 5
        ? Math.min(properties.data.sessionExpiryInterval ?? 0, limits.sessionExpirySecondsMax)
        : clean
          ? 0
          : limits.sessionExpirySecondsOfVersion3,
    receiveMaximum: Math.min(properties.data.receiveMaximum ?? 0xffff, limits.receiveMaximum),
    packetBytesMax: properties.data.maximumPacketSize ?? Number.MAX_SAFE_INTEGER,
    will,
  };
}

function readWill(
  will: NonNullable<IConnectPacket["will"]>,
  limits: BrokerLimits,
): NonNullable<ConnectRequest["will"]> | ConnectRefusal {
  const properties = WillProperties.safeParse(will.properties ?? {});
  if (!properties.success) return { reasonCode: 0x82, returnCode: 2, why: "a property of the will is wrong" };
  if (will.qos === 2)
    return { reasonCode: 0x9b, returnCode: 2, why: "the will asks for QoS 2, AWS IoT has 0 and 1" };
  const fault = topicFault(will.topic, limits);
  if (fault !== undefined)
    return { reasonCode: 0x90, returnCode: 2, why: `the will cannot be sent: ${fault}` };
  const payload = Buffer.from(will.payload);
  if (payload.length > limits.payloadBytesMax)
    return { reasonCode: 0x95, returnCode: 2, why: `the will's payload is ${payload.length} bytes` };
  const { willDelayInterval, messageExpiryInterval, ...carried } = properties.data;
  return {
    message: {
      topic: will.topic,
      payload,
      qos: will.qos ?? 0,
      retain: will.retain ?? false,
      properties: carried,
      expiresAt: undefined,
    },
    delaySeconds: willDelayInterval ?? 0,
    ...(messageExpiryInterval === undefined ? {} : { lifeSeconds: messageExpiryInterval }),
  };
}
