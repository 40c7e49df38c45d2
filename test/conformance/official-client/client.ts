import {
  createClient,
  createDefaultClientConfig,
  type Client,
} from "aws-iot-device-sdk-v2/dist/greengrasscoreipc.js";
import {
  RpcError,
  RpcErrorType,
  type StreamingOperation,
} from "aws-iot-device-sdk-v2/dist/eventstream_rpc.js";
import { NAMESPACE } from "@coalmine/ipc";
import { makeServiceModel } from "aws-iot-device-sdk-v2/dist/greengrasscoreipc/model_utils.js";
import * as z from "zod";

/** The bare names of the official client's own service model. */
export const officialOperations: readonly string[] = [...makeServiceModel().operations.keys()].map(bare);

/** Operation → the errors that the official client knows of it. */
export function officialErrors(operation: string): readonly string[] {
  return [...(makeServiceModel().operations.get(NAMESPACE + operation)?.errorShapes ?? [])].map(bare);
}

function bare(shape: string): string {
  return shape.replace(NAMESPACE, "");
}

/** The official client, connected as whose token that is. `called` is told the name of every operation that is used. */
export async function officialClient(
  socketPath: string,
  authToken: string,
  called: (operation: string) => void = () => undefined,
): Promise<Client> {
  const client = createClient({
    ...createDefaultClientConfig(),
    hostName: socketPath,
    connectTransform: async ({ message }) => ({ ...message, payload: JSON.stringify({ authToken }) }),
  });
  await client.connect();
  return new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      const operation = officialOperations.find((known) => methodOf(known) === name);
      return (...words: unknown[]): unknown => {
        if (operation !== undefined) called(operation);
        return Reflect.apply(member, target, words);
      };
    },
  });
}

/** The client's method for an operation. */
export function methodOf(operation: string): string {
  return operation.charAt(0).toLowerCase() + operation.slice(1);
}

/** Begins a subscription, and keeps what it hears. */
export async function listening<Request extends object, Response extends object, Event extends object>(
  stream: StreamingOperation<Request, Response, void, Event>,
): Promise<{ readonly heard: Event[]; close(): Promise<void> }> {
  const heard: Event[] = [];
  stream.on("message", (event) => heard.push(event));
  await stream.activate();
  return { heard, close: () => stream.close() };
}

const Modelled = z.looseObject({ _errorCode: z.string(), message: z.string() });

/** How the client puts a refusal: the modelled error's shape, or that the shape was none of the operation's. */
export async function refusalOf(answer: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await answer;
  } catch (thrown) {
    if (!(thrown instanceof RpcError)) throw thrown;
    if (thrown.type !== RpcErrorType.ServiceError)
      return { code: "no modelled error", message: thrown.description };
    const { _errorCode: code, message } = Modelled.parse(thrown.serviceError);
    return { code, message };
  }
  throw new Error("it was answered, and should have been refused");
}
