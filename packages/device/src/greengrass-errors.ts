import { RpcError, RpcErrorType } from "aws-iot-device-sdk-v2/dist/eventstream_rpc.js";
import { IpcRefusal, refusal } from "@coalmine/ipc/ipc-error";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";

/** The client hands on a modelled error's members, not its shape; both kinds of nucleus put that into `_errorCode`. */
const Modelled = z.object({
  _errorCode: z.string().default("ServiceError"),
  message: z.string().default(""),
});

/** What the official client threw, as the ports' `IpcError`. */
export function asRefusal(operation: string, thrown: unknown, isOpen: boolean): IpcRefusal {
  if (thrown instanceof IpcRefusal) return thrown;
  if (!isOpen)
    return new IpcRefusal("Disconnected", `${operation}: the connection is gone`, { cause: thrown });
  if (!(thrown instanceof RpcError))
    return new IpcRefusal("ServiceError", `${operation}: ${messageOf(thrown)}`, { cause: thrown });
  const text = `${operation}: ${thrown.description}`;
  switch (thrown.type) {
    case RpcErrorType.ServiceError: {
      const { data } = Modelled.safeParse(thrown.serviceError);
      return data === undefined
        ? new IpcRefusal("ServiceError", text, { cause: thrown })
        : refusal(operation, data._errorCode, data.message, thrown);
    }
    case RpcErrorType.ValidationError:
    case RpcErrorType.SerializationError:
      return new IpcRefusal("InvalidArgumentsError", text, { cause: thrown });
    case RpcErrorType.HandshakeError:
    case RpcErrorType.NetworkError:
    case RpcErrorType.InterruptionError:
    case RpcErrorType.ClientStateError:
      return new IpcRefusal("Disconnected", text, { cause: thrown });
    case RpcErrorType.InternalError:
    case RpcErrorType.DeserializationError:
      break;
  }
  return new IpcRefusal("ServiceError", text, { cause: thrown });
}
