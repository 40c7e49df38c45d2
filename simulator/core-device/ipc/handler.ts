import type { IpcStream } from "@coalmine/ipc";
import type { JsonObject } from "@coalmine/ports";
import type { Lookup } from "./resource-pattern.ts";

/** Answers one operation of the IPC model for the component `principal`, or throws `IpcServiceError`. */
export type Handler = (
  principal: string,
  request: JsonObject,
  stream: IpcStream,
) => Promise<JsonObject> | JsonObject;

/** Operation → handler, by the model's bare names. */
export type Handlers = Readonly<Record<string, Handler>>;

/** Throws `UnauthorizedError` where no policy of the principal's configuration allows the operation on the resource. */
export type Authorize = (
  principal: string,
  service: string,
  operation: string,
  resource: string,
  lookup?: Lookup,
) => void;
