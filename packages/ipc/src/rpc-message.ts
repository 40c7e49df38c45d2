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
  let type: number | undefined;
  let flags: number | undefined;
  let streamId: number | undefined;
  const headers: Header[] = [];
  for (const header of message.headers)
    // Where one of the three comes twice the first counts.
    switch (header.name.toLowerCase()) {
      case ":message-type":
        type ??= int32(header);
        break;
      case ":message-flags":
        flags ??= int32(header);
        break;
      case ":stream-id":
        streamId ??= int32(header);
        break;
      default:
        headers.push(header);
    }
  return {
    type: type ?? missing(":message-type"),
    flags: flags ?? missing(":message-flags"),
    streamId: streamId ?? missing(":stream-id"),
    headers,
    payload: message.payload,
  };
}

/** The text of a header, whose name is matched without regard to case; undefined where it is missing or no text. */
export function textHeader(message: Pick<Message, "headers">, name: string): string | undefined {
  const header = message.headers.find((one) => one.name.toLowerCase() === name);
  return header?.type === "string" ? header.value : undefined;
}

function int32(header: Header): number {
  return header.type === "int32" ? header.value : missing(header.name);
}

function missing(name: string): never {
  throw new ProtocolViolation(`a message lacks its ${name} header, a 32-bit integer`);
}
