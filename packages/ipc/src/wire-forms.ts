import type { JsonObject } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { Header } from "./header-block.ts";
import { NAMESPACE } from "./operations.ts";
import { messageTypes, TERMINATE_STREAM, type RpcMessage } from "./rpc-message.ts";
import { IpcServiceError } from "./service.ts";

/** How answers and refusals stand in messages. */

type Body = Pick<RpcMessage, "headers" | "payload">;

/** A payload of the model: its shape in a header, its members as JSON. */
export function jsonPayload(shape: string, members: JsonObject): Body {
  const body = plain("application/json", JSON.stringify(members));
  return { ...body, headers: [...body.headers, text("service-model-type", NAMESPACE + shape)] };
}

/** A payload outside the model. */
export function plain(contentType: "application/json" | "text/plain", payload: string): Body {
  return { headers: [text(":content-type", contentType)], payload: Buffer.from(payload) };
}

/** A refusal by the service; whatever else it threw is the nucleus' `ServiceError` with the text of the exception. */
export function modelledError(streamId: number, thrown: unknown): RpcMessage {
  const code = thrown instanceof IpcServiceError ? thrown.code : "ServiceError";
  const fields = thrown instanceof IpcServiceError ? thrown.fields : {};
  const message = messageOf(thrown);
  return error(
    streamId,
    jsonPayload(code, {
      ...fields,
      message,
      _service: `${NAMESPACE}GreengrassCoreIPC`,
      _message: message,
      _errorCode: code,
    }),
  );
}

/** For what went wrong in the server itself. */
export function unmodelledError(streamId: number): RpcMessage {
  return error(streamId, plain("text/plain", "InternalServerError"));
}

/** For an operation that the model does not have. */
export function unsupported(streamId: number, operation: string): RpcMessage {
  return error(
    streamId,
    plain(
      "application/json",
      JSON.stringify({
        error: "Unsupported Operation",
        message: `${operation} is an unsupported operation.`,
      }),
    ),
  );
}

function error(streamId: number, body: Body): RpcMessage {
  return { type: messageTypes.applicationError, flags: TERMINATE_STREAM, streamId, ...body };
}

function text(name: string, value: string): Header {
  return { name, type: "string", value };
}
