import type { JsonObject } from "@coalmine/ports";
import { invariant, messageOf } from "@coalmine/runtime";
import type { IpcContext } from "./answers.ts";
import type { Operation } from "./operations.ts";
import type { IpcStream } from "./service.ts";

/** Events that a service may send before one of them is taken. */
const WAITING_MAX = 100_000;

/**
 * Both ends of a stream without frames. Events are delivered one resolved promise later, in the order sent and never
 * before the initial response: so a service may send within any call, and no order depends on wall time.
 */
export class LocalStream implements IpcStream {
  readonly #operation: Operation;
  readonly #receive: (event: JsonObject) => void;
  readonly #context: IpcContext;
  readonly #waiting: (JsonObject | "end")[] = [];
  readonly #closers: (() => void)[] = [];
  #isAnswered = false;
  #isDraining = false;
  #isClosed = false;

  constructor(operation: Operation, context: IpcContext, receive: (event: JsonObject) => void) {
    this.#operation = operation;
    this.#context = context;
    this.#receive = receive;
  }

  send(shape: string, event: JsonObject): void {
    invariant(
      shape === this.#operation.events,
      `${this.#operation.name} sends ${this.#operation.events ?? "no events"}, not ${shape}`,
    );
    if (!this.#isClosed) this.#push(event);
  }

  end(): void {
    if (!this.#isClosed) this.#push("end");
  }

  onClose(closed: () => void): void {
    if (this.#isClosed) closed();
    else this.#closers.push(closed);
  }

  /** The initial response is here: what waited for it follows. */
  answered(): void {
    this.#isAnswered = true;
    this.#schedule();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting.length = 0;
    for (const closed of this.#closers.splice(0)) closed();
  }

  #push(event: JsonObject | "end"): void {
    invariant(this.#waiting.length < WAITING_MAX, `${WAITING_MAX} events wait on ${this.#operation.name}`);
    this.#waiting.push(event);
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#isAnswered || this.#isDraining || this.#waiting.length === 0) return;
    this.#isDraining = true;
    void Promise.resolve().then(() => this.#drain());
  }

  #drain(): void {
    this.#isDraining = false;
    for (const event of this.#waiting.splice(0)) {
      if (this.#isClosed) return;
      if (event === "end") {
        this.close();
        this.#context.process.fail(`the device ended ${this.#operation.name}`);
        return;
      }
      try {
        this.#receive(event);
      } catch (thrown) {
        // In a process of its own the component would end with an uncaught error.
        this.#context.process.fail(`${this.#operation.name}: a handler failed: ${messageOf(thrown)}`);
      }
    }
  }
}
