import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/**
 * A device's cable to one port of its cloud. While it is cut nothing gets through either way and neither end is told, as on
 * a line that somebody dug up: what was written waits in the sockets, and new connections wait for their answer.
 */
export class Relay {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #isCut = false;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async to(port: number): Promise<Relay> {
    // Paused until both ends are there, so that the first bytes meet a cut too.
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has no other address
    const relay = new Relay(server, (server.address() as AddressInfo).port);
    server.on("connection", (near) => relay.#take(near, port));
    return relay;
  }

  cut(): void {
    this.#isCut = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  mend(): void {
    this.#isCut = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  /** Everything that goes over it breaks. */
  async close(): Promise<void> {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    await new Promise<void>((closed) => this.#server.close(() => closed()));
  }

  #take(near: Socket, port: number): void {
    const far = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on("data", (bytes) => {
        if (to.write(bytes)) return;
        from.pause();
        to.once("drain", () => {
          if (!this.#isCut) from.resume();
        });
      });
      from.on("end", () => to.end());
      // Whatever became of one end is told to the other by its closing.
      from.on("error", () => undefined);
      from.on("close", () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
      if (this.#isCut) from.pause();
      else from.resume();
    }
  }
}
