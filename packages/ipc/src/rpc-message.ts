import { ProtocolViolation } from "./framing-error.ts";
import type { Header } from "./header-block.ts";
import type { Message } from "./message.ts";

/** `:message-type` of event-stream RPC. */
export const messageTypes = {
  applicationMessage: 0,
  applicationError: 1,
  ping: 2,
  pingResponse: 3,
  connect: 4,
  connectAck: 5,
  protocolError: 6,
  internalError: 7,
} as const;

/** Bits of `:message-flags`. */
export const CONNECTION_ACCEPTED = 1;
export const TERMINATE_STREAM = 2;

/** The one protocol version there is; any other is refused. */
export const PROTOCOL_VERSION = "0.1.0";

/** A message of the RPC protocol: stream 0 is the connection, every operation has a stream of its own. */
export interface RpcMessage {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /** Without the three that every message carries. */
  readonly headers: readonly Header[];
  readonly payload: Uint8Array;
}

const own = new Set([":message-type", ":message-flags", ":stream-id"]);

export function toMessage(rpc: RpcMessage): Message {
  return {
    headers: [
      { name: ":message-type", type: "int32", value: rpc.type },
      { name: ":message-flags", type: "int32", value: rpc.flags },
      { name: ":stream-id", type: "int32", value: rpc.streamId },
      ...rpc.headers,
    ],
    payload: rpc.payload,
  };
}

/** Throws `ProtocolViolation` where one of the three headers of every message is missing. */
export function fromMessage(message: Message): RpcMessage {
  return {
    type: int32(message, ":message-type"),
    flags: int32(message, ":message-flags"),
    streamId: int32(message, ":stream-id"),
    headers: message.headers.filter((header) => !own.has(header.name.toLowerCase())),
    payload: message.payload,
  };
}

/** The text of a header, whose name is matched without regard to case; undefined where it is missing or no text. */
export function textHeader(message: Pick<Message, "headers">, name: string): string | undefined {
  const header = find(message, name);
  return header?.type === "string" ? header.value : undefined;
}

function int32(message: Message, name: string): number {
  const header = find(message, name);
  if (header?.type !== "int32")
    throw new ProtocolViolation(`a message lacks its ${name} header, a 32-bit integer`);
  return header.value;
}

function find(message: Pick<Message, "headers">, name: string): Header | undefined {
  return message.headers.find((header) => header.name.toLowerCase() === name);
}
