import type { JsonObject } from "@coalmine/ports";
import { invariant } from "@coalmine/runtime";
import type { Operation } from "./operations.ts";
import { TERMINATE_STREAM, type RpcMessage } from "./rpc-message.ts";
import type { IpcStream } from "./service.ts";
import { jsonPayload } from "./wire-forms.ts";

/** What a stream needs of its connection. */
export interface StreamCarrier {
  send(headers: RpcMessage["headers"], payload: Uint8Array, flags: number): void;
  closed(): void;
  overflow(why: string): void;
}

/** Events that wait for the initial response of their stream. */
const WAITING_MAX = 10_000;

/** The server's end of one stream, as frames. Events sent before the initial response wait for it. */
export class ServerStream implements IpcStream {
  readonly #operation: Operation;
  readonly #carrier: StreamCarrier;
  #waiting: (() => void)[] | undefined = [];
  #closers: (() => void)[] = [];
  #isClosed = false;

  constructor(operation: Operation, carrier: StreamCarrier) {
    this.#operation = operation;
    this.#carrier = carrier;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(shape: string, event: JsonObject): void {
    invariant(
      shape === this.#operation.events,
      `${this.#operation.name} sends ${this.#operation.events ?? "no events"}, not ${shape}`,
    );
    // Encoded now: the service may change the object afterwards.
    const { headers, payload } = jsonPayload(shape, event);
    this.#inTurn(() => this.#carrier.send(headers, payload, 0));
  }

  end(): void {
    this.#inTurn(() => {
      this.#carrier.send([], new Uint8Array(), TERMINATE_STREAM);
      this.close();
    });
  }

  onClose(closed: () => void): void {
    if (this.#isClosed) closed();
    else this.#closers.push(closed);
  }

  /** The initial response is sent: what waited for it follows. */
  answered(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const send of waiting) if (!this.#isClosed) send();
  }

  /** Ends the stream on this side without a word. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting = undefined;
    this.#carrier.closed();
    for (const closed of this.#closers.splice(0)) closed();
  }

  #inTurn(send: () => void): void {
    if (this.#isClosed) return;
    if (this.#waiting === undefined) send();
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(send);
    else this.#carrier.overflow(`${WAITING_MAX} events wait for the response of ${this.#operation.name}`);
  }
}
