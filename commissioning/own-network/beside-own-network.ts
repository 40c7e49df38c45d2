import type { Adapter, AdapterState, Connected, ConnectRequest, Network, Scan } from "@coalmine/site";
import type { AccessPointPort, Opened, OwnNetwork } from "@coalmine/site/own-network";

/**
 * The links of a device that offers a network of its own until it has joined another one. One radio does one thing: before
 * it offers, it looks round; to look again or to join, it stops for that long. A network that was not joined brings the own
 * one back, and with it the page that says why.
 */
export class BesideOwnNetwork implements Network {
  readonly #network: Network;
  readonly #point: AccessPointPort;
  readonly #own: OwnNetwork;
  /** Which adapter offers, and what it had seen before. */
  #offering: { readonly adapter: string; seen: Scan | undefined } | undefined;

  constructor(network: Network, point: AccessPointPort, own: OwnNetwork) {
    this.#network = network;
    this.#point = point;
    this.#own = own;
  }

  /** Offers, where there is Wi-Fi and no link; undefined where there is no need or no way. */
  async offer(): Promise<Opened | undefined> {
    const adapters = await this.#network.adapters();
    const radio = adapters.find(({ kind }) => kind === "wifi");
    if (radio === undefined) return undefined;
    // A program that was killed has left its network standing, which looks like a link.
    await this.#point.close(radio.name);
    for (const { name } of adapters)
      if ((await this.#network.state(name)).kind === "connected") return undefined;
    const seen = await this.#network.scan(radio.name).catch(() => undefined);
    const opened = await this.#point.open(radio.name, this.#own);
    if (opened.kind === "open") this.#offering = { adapter: radio.name, seen };
    return opened;
  }

  async withdraw(): Promise<void> {
    const { adapter } = this.#offering ?? {};
    if (adapter !== undefined) await this.#point.close(adapter);
    this.#offering = undefined;
  }

  adapters(): Promise<readonly Adapter[]> {
    return this.#network.adapters();
  }

  /** What was seen before it offered, once; then it looks again. */
  async scan(adapter: string, signal?: AbortSignal): Promise<Scan> {
    const offering = this.#offering;
    if (offering?.adapter !== adapter) return this.#network.scan(adapter, signal);
    const { seen } = offering;
    offering.seen = undefined;
    return (
      seen ??
      this.#without(
        adapter,
        () => this.#network.scan(adapter, signal),
        () => true,
      )
    );
  }

  async connect(request: ConnectRequest, signal?: AbortSignal): Promise<Connected> {
    const join = () => this.#network.connect(request, signal);
    if (this.#offering?.adapter !== request.adapter) return join();
    return this.#without(request.adapter, join, ({ kind }) => kind !== "connected");
  }

  /** Its own network is no link. */
  async state(adapter: string): Promise<AdapterState> {
    return this.#offering?.adapter === adapter ? { kind: "disconnected" } : this.#network.state(adapter);
  }

  disconnect(adapter: string): Promise<void> {
    return this.#network.disconnect(adapter);
  }

  forget(adapter: string): Promise<void> {
    return this.#network.forget(adapter);
  }

  async #without<Result>(
    adapter: string,
    work: () => Promise<Result>,
    offersAgain: (result: Result) => boolean,
  ): Promise<Result> {
    await this.withdraw();
    let isOver = false;
    try {
      const result = await work();
      isOver = !offersAgain(result);
      return result;
    } finally {
      if (!isOver && (await this.#point.open(adapter, this.#own)).kind === "open")
        this.#offering = { adapter, seen: undefined };
    }
  }
}
