import type { JsonObject } from "@coalmine/ports";

/** What stands behind Greengrass IPC, whether frames or function calls carry it. The core device implements it. */
export interface IpcService {
  /** The component that owns this token (`SVCUID`), or undefined. */
  authenticate(authToken: string): string | undefined;
  /**
   * Opens a stream with `operation` (its bare name, e.g. `PublishToTopic`) and gives the initial response. For a
   * streaming operation `stream` stays open after that. Throws `IpcServiceError` for a modelled refusal.
   */
  open(principal: string, operation: string, request: JsonObject, stream: IpcStream): Promise<JsonObject>;
}

/** The server's end of one open stream. After `onClose` nothing is delivered any more. */
export interface IpcStream {
  /**
   * Sends an event, and gives it away: whoever sends it changes nothing of it any more, and sends it to nobody else.
   * `shape` is the bare name of the event union, e.g. `SubscriptionResponseMessage`.
   */
  send(shape: string, event: JsonObject): void;
  /** Ends the stream from the server's side. */
  end(): void;
  onClose(closed: () => void): void;
}

/** A modelled error: `code` is the bare shape name, e.g. `UnauthorizedError`. */
export class IpcServiceError extends Error {
  override readonly name = "IpcServiceError";
  readonly code: string;
  readonly fields: JsonObject;
  constructor(code: string, message: string, fields: JsonObject = {}) {
    super(message);
    this.code = code;
    this.fields = fields;
  }
}
