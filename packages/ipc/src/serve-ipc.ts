import type { JsonObject, Link, Log } from "@coalmine/ports";
import { messageOf, silentLog } from "@coalmine/runtime";
import * as z from "zod";
import { FramingError, ProtocolViolation } from "./framing-error.ts";
import { encodeMessage, MESSAGE_BYTES_MAX, MessageDecoder } from "./message.ts";
import { NAMESPACE, operationNamed } from "./operations.ts";
import { OutgoingFrames } from "./outgoing-frames.ts";
import {
  CONNECTION_ACCEPTED,
  fromMessage,
  messageTypes,
  PROTOCOL_VERSION,
  TERMINATE_STREAM,
  textHeader,
  toMessage,
  type RpcMessage,
} from "./rpc-message.ts";
import { ServerStream } from "./server-stream.ts";
import type { IpcService } from "./service.ts";
import { jsonPayload, modelledError, plain, unmodelledError, unsupported } from "./wire-forms.ts";

/** One client's connection, seen from the server. */
export interface IpcConnection {
  /** The component on the other side, once its token was accepted. */
  principal(): string | undefined;
  /** Ends every stream and closes the link. */
  close(): Promise<void>;
}

/** Unsent bytes of a client that does not read: room for the largest message and as much again, then it is dropped. */
const UNSENT_BYTES_MAX = 2 * MESSAGE_BYTES_MAX;
/** Streams that one connection may hold open at once. */
const STREAMS_OPEN_MAX = 4096;

/** Serves Greengrass IPC on an open link until either side closes it. */
export function serveIpc(service: IpcService, link: Link, log: Log = silentLog): IpcConnection {
  const connection = new Connection(service, link, log);
  link.onData((bytes) => connection.receive(bytes));
  link.onClose(() => connection.gone());
  return connection;
}

const Connect = z.object({ authToken: z.string() });

class Connection implements IpcConnection {
  readonly #service: IpcService;
  readonly #link: Link;
  readonly #log: Log;
  readonly #decoder = new MessageDecoder();
  readonly #outgoing = new OutgoingFrames((bytes) => this.#write(bytes));
  readonly #streams = new Map<number, ServerStream>();
  #lastStreamId = 0;
  #principal: string | undefined;
  #isOpen = true;
  #unsentBytes = 0;

  constructor(service: IpcService, link: Link, log: Log) {
    this.#service = service;
    this.#link = link;
    this.#log = log;
  }

  principal(): string | undefined {
    return this.#principal;
  }

  receive(bytes: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#outgoing.during(() => this.#receive(bytes));
  }

  #receive(bytes: Uint8Array): void {
    try {
      this.#decoder.push(bytes, (message) => {
        if (this.#isOpen) this.#route(fromMessage(message));
      });
    } catch (thrown) {
      if (thrown instanceof ProtocolViolation) this.#refuse(thrown.message);
      else if (thrown instanceof FramingError) this.#drop(thrown.message);
      else throw thrown;
    }
  }

  /** The link is closed already: nothing is said any more. */
  gone(): void {
    this.#isOpen = false;
    this.#outgoing.forget();
    for (const stream of this.#streams.values()) stream.close();
  }

  async close(): Promise<void> {
    this.#outgoing.flush();
    this.gone();
    await this.#link.close();
  }

  #route(message: RpcMessage): void {
    if (message.streamId < 0) throw new ProtocolViolation(`no stream has the id ${message.streamId}`);
    if (this.#principal === undefined && message.type !== messageTypes.connect)
      throw new ProtocolViolation(`connect first: a message of type ${message.type} came before Connect`);
    if (message.streamId > 0) this.#application(message, this.#principal ?? "");
    else this.#protocol(message);
  }

  #protocol(message: RpcMessage): void {
    switch (message.type) {
      case messageTypes.connect:
        return this.#connect(message);
      case messageTypes.ping:
        return this.send({
          type: messageTypes.pingResponse,
          flags: 0,
          streamId: 0,
          headers: message.headers.filter((header) => !header.name.startsWith(":")),
          payload: message.payload,
        });
      case messageTypes.pingResponse:
        return;
      case messageTypes.protocolError:
      case messageTypes.internalError:
        return this.#drop(`the client reports ${new TextDecoder().decode(message.payload)}`);
      default:
        throw new ProtocolViolation(`a message of type ${message.type} has no place on stream 0`);
    }
  }

  #connect(message: RpcMessage): void {
    if (this.#principal !== undefined) throw new ProtocolViolation("connected already: Connect came twice");
    const version = textHeader(message, ":version");
    const principal = version === PROTOCOL_VERSION ? this.#principalOf(message) : undefined;
    this.#principal = principal;
    const flags = principal === undefined ? 0 : CONNECTION_ACCEPTED;
    this.send({ type: messageTypes.connectAck, flags, streamId: 0, headers: [], payload: new Uint8Array() });
    if (principal === undefined)
      this.#drop(
        version === PROTOCOL_VERSION
          ? "its authToken belongs to no component"
          : `it speaks version ${version ?? "(none)"}, not ${PROTOCOL_VERSION}`,
      );
  }

  #principalOf(message: RpcMessage): string | undefined {
    const read = Connect.safeParse(readJson(message.payload));
    return read.success ? this.#service.authenticate(read.data.authToken) : undefined;
  }

  #application(message: RpcMessage, principal: string): void {
    if (message.type !== messageTypes.applicationMessage && message.type !== messageTypes.applicationError)
      throw new ProtocolViolation(
        `a message of type ${message.type} has no place on stream ${message.streamId}`,
      );
    const ends = (message.flags & TERMINATE_STREAM) !== 0;
    const stream = this.#streams.get(message.streamId);
    if (stream !== undefined) {
      // No operation of the model takes a second message: only the end of the stream means something.
      if (ends) stream.close();
      return;
    }
    if (message.streamId <= this.#lastStreamId) {
      // Both sides may end a stream at once.
      if (ends) return;
      throw new ProtocolViolation(`stream ${message.streamId} is closed`);
    }
    if (message.streamId !== this.#lastStreamId + 1)
      throw new ProtocolViolation(
        `stream ids go up by one: ${message.streamId} came after ${this.#lastStreamId}`,
      );
    const operation = textHeader(message, "operation");
    if (operation === undefined)
      throw new ProtocolViolation(`the first message of stream ${message.streamId} lacks its operation`);
    this.#lastStreamId = message.streamId;
    if (ends) return;
    if (this.#streams.size >= STREAMS_OPEN_MAX)
      throw new ProtocolViolation(`${STREAMS_OPEN_MAX} streams are open; close some first`);
    void this.#open(operation, message, principal);
  }

  async #open(wireName: string, message: RpcMessage, principal: string): Promise<void> {
    const streamId = message.streamId;
    const name = wireName.startsWith(NAMESPACE) ? wireName.slice(NAMESPACE.length) : undefined;
    const operation = name === undefined ? undefined : operationNamed(name);
    if (operation === undefined) return this.send(unsupported(streamId, wireName));
    const stream = new ServerStream(operation, {
      send: (headers, payload, flags) =>
        this.send({ type: messageTypes.applicationMessage, flags, streamId, headers, payload }),
      closed: () => this.#streams.delete(streamId),
      overflow: (why) => this.#drop(why),
    });
    this.#streams.set(streamId, stream);
    let answer: RpcMessage;
    try {
      const request = readRequest(message.payload);
      const response = await this.#service.open(principal, operation.name, request, stream);
      answer = this.#response(streamId, operation, response);
    } catch (thrown) {
      answer = modelledError(streamId, thrown);
      this.#log.debug("IPC operation refused", {
        principal,
        operation: operation.name,
        reason: messageOf(thrown),
      });
    }
    if (stream.isClosed) return;
    this.send(answer);
    if ((answer.flags & TERMINATE_STREAM) === 0) stream.answered();
    else stream.close();
  }

  #response(
    streamId: number,
    operation: { readonly response: string; readonly events?: string },
    response: JsonObject,
  ): RpcMessage {
    const type = messageTypes.applicationMessage;
    const flags = operation.events === undefined ? TERMINATE_STREAM : 0;
    return { type, flags, streamId, ...jsonPayload(operation.response, response) };
  }

  send(message: RpcMessage): void {
    if (!this.#isOpen) return;
    let bytes: Uint8Array;
    try {
      bytes = encodeMessage(toMessage(message));
    } catch (thrown) {
      if (!(thrown instanceof FramingError) || message.streamId === 0) throw thrown;
      this.#log.error("IPC answer could not be sent", { reason: thrown.message });
      bytes = encodeMessage(toMessage(unmodelledError(message.streamId)));
      this.#streams.get(message.streamId)?.close();
    }
    this.#unsentBytes += bytes.length;
    if (this.#unsentBytes > UNSENT_BYTES_MAX) {
      this.#outgoing.forget();
      return this.#drop(`it does not read: ${this.#unsentBytes} bytes are unsent`);
    }
    this.#outgoing.add(bytes);
  }

  #write(bytes: Uint8Array): void {
    this.#link.write(bytes).then(
      () => {
        this.#unsentBytes -= bytes.length;
      },
      // The link tells `onClose` as well, where everything is ended.
      (failure: unknown) => this.#log.debug("IPC client is gone", { reason: messageOf(failure) }),
    );
  }

  /** Tells the client what it did wrong, then closes. */
  #refuse(why: string): void {
    this.send({
      type: messageTypes.protocolError,
      flags: 0,
      streamId: 0,
      ...plain("application/json", JSON.stringify({ message: why })),
    });
    this.#drop(why);
  }

  #drop(why: string): void {
    if (!this.#isOpen) return;
    this.#log.warn("IPC connection closed", { principal: this.#principal ?? null, reason: why });
    this.close().catch((failure: unknown) =>
      this.#log.debug("IPC link did not close cleanly", { reason: messageOf(failure) }),
    );
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** An empty request is an empty object; anything that is no JSON object is refused as the nucleus refuses bad JSON. */
function readRequest(payload: Uint8Array): JsonObject {
  if (payload.length === 0) return {};
  const value = JSON.parse(utf8.decode(payload)) as unknown;
  return JsonRequest.parse(value);
}

const JsonRequest = z.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "a request is a JSON object",
);

function readJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(payload));
  } catch {
    // No JSON is no token.
    return undefined;
  }
}
