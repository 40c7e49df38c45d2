import type { Instant } from "@coalmine/ports";
import type { Message } from "./message.ts";

/** AWS IoT's lifecycle event of a client, to whoever subscribes to it. */
export function presenceMessage(clientId: string, connected: boolean, reason: string, at: Instant): Message {
  const presence = connected ? "connected" : "disconnected";
  return {
    topic: `$aws/events/presence/${presence}/${clientId}`,
    payload: Buffer.from(JSON.stringify({ clientId, timestamp: at, eventType: presence, reason })),
    qos: 0,
    retain: false,
    properties: {},
    expiresAt: undefined,
  };
}
