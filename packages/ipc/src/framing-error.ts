import { CoalmineError } from "@coalmine/runtime";

/** Bytes that are not an event-stream message, or a message that does not fit into one. The connection is lost. */
export class FramingError extends CoalmineError {
  readonly code = "ERR_IPC_FRAMING";
}

/** A well-formed message that the protocol does not allow here. The peer is told, then the connection is closed. */
export class ProtocolViolation extends CoalmineError {
  readonly code = "ERR_IPC_PROTOCOL";
}
