import type { Socket } from "node:net";
import type { Link, LinkClosed } from "@coalmine/ports";

/** A socket as a link. */
export class SocketLink implements Link {
  readonly #socket: Socket;
  #closed: ((why: LinkClosed) => void) | undefined;
  #isOurs = false;
  #gathers = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    let failure: string | undefined;
    socket.on("error", (error) => {
      failure = error.message;
    });
    // A client that half closes has gone: MQTT has no use for one direction.
    socket.on("end", () => socket.destroy());
    socket.on("close", () =>
      this.#closed?.(this.#isOurs ? { by: "us" } : { by: "other", reason: failure ?? "the client closed" }),
    );
  }

  /** What one turn of the event loop writes goes out together: each TLS record costs as much as what is in it. */
  write(bytes: Uint8Array): Promise<void> {
    if (!this.#gathers) {
      this.#gathers = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#gathers = false;
        this.#socket.uncork();
      });
    }
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
  }

  onData(receive: (bytes: Uint8Array) => void): void {
    this.#socket.on("data", receive);
  }

  onClose(closed: (why: LinkClosed) => void): void {
    this.#closed = closed;
  }

  /** What was written still goes out, unless the client does not take it within five seconds. */
  close(): Promise<void> {
    this.#isOurs = true;
    return new Promise((resolve) => {
      if (this.#socket.destroyed) {
        resolve();
        return;
      }
      this.#socket.once("close", () => resolve());
      this.#socket.setTimeout(5000, () => this.#socket.destroy());
      this.#socket.end(() => this.#socket.destroySoon());
    });
  }
}
