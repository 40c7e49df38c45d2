import type { Link, LinkError, LinkInfo, Links, LinkTarget } from "@coalmine/ports";
import { cable, type Cable, type LineOptions } from "./memory-link.ts";
import type { Character } from "./uart.ts";

/** Of a usual USB adapter. */
const BAUD_RATE_MAX = 3_000_000;

/** As what the host has opened its port: to a modelled line it matters. */
export type HostCharacter = () => Partial<Character> | Promise<Partial<Character>>;

/** What stands at the far end of a port. */
export interface Attachable {
  readonly id: string;
  attach(link: Link, host?: HostCharacter): void;
}

/** The ports of one hosted device, with the hands of whoever is on site. */
export interface HostedLinks extends Links {
  unplug(id: string): void;
  plug(id: string): void;
  /** Puts another instrument of the same id behind the port, which must be unplugged. */
  replace(instrument: Attachable): void;
  /** Plugs in another one, into a port of its own. */
  add(instrument: Attachable): void;
  /** The open link of this port goes, the port stays. */
  hangUp(id: string): void;
  /** What an operating system does for a process that died: closes all it had open. */
  releaseAll(): void;
}

export function hostedLinks(instruments: readonly Attachable[], line: LineOptions = {}): HostedLinks {
  const behind = new Map(instruments.map((instrument) => [instrument.id, instrument]));
  const plugged = new Map(instruments.map((instrument) => [instrument.id, true]));
  const open = new Map<string, Cable>();
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watcher of watchers) watcher();
  };
  const hangUp = (id: string, reason: string) => {
    const line = open.get(id);
    open.delete(id);
    line?.hangUp(reason);
  };
  return {
    list: async () =>
      [...behind.keys()]
        // What is reached by TCP is no port of the device.
        .filter((id) => plugged.get(id) === true && !id.includes(":"))
        .map((id): LinkInfo => ({ id, path: `/dev/hosted/${id}` })),
    watch(watcher) {
      watchers.add(watcher);
      return { close: () => void watchers.delete(watcher) };
    },
    async open(target: LinkTarget): Promise<Link> {
      const id = target.kind === "serial" ? target.id : `${target.host}:${target.port}`;
      const instrument = behind.get(id);
      if (instrument === undefined || plugged.get(id) !== true)
        throw new HostedLinkError("NO_SUCH_LINK", `There is no port ${id}; plug the instrument in.`);
      if (open.has(id)) throw new HostedLinkError("LINK_BUSY", `Port ${id} is open already; close it first.`);
      if (target.kind === "serial" && target.baudRate > BAUD_RATE_MAX)
        throw new HostedLinkError(
          "LINK_FAILED",
          `Port ${id} cannot do ${target.baudRate} baud, ${BAUD_RATE_MAX} is its most.`,
        );
      const made = cable(line);
      const [host, far] = made.ends;
      open.set(id, made);
      instrument.attach(far, target.kind === "serial" ? () => target : undefined);
      return {
        write: (bytes) => host.write(bytes),
        onData: (receive) => host.onData(receive),
        onClose: (closed) => host.onClose(closed),
        async close() {
          if (open.get(id) === made) open.delete(id);
          await host.close();
        },
      };
    },
    unplug(id) {
      plugged.set(id, false);
      hangUp(id, "unplugged");
      changed();
    },
    plug(id) {
      plugged.set(id, true);
      changed();
    },
    replace: (instrument) => void behind.set(instrument.id, instrument),
    add(instrument) {
      behind.set(instrument.id, instrument);
      this.plug(instrument.id);
    },
    hangUp: (id) => hangUp(id, "hang-up"),
    releaseAll() {
      for (const id of open.keys()) hangUp(id, "the process ended");
    },
  };
}

class HostedLinkError extends Error implements LinkError {
  override readonly name = "LinkError";
  readonly code: LinkError["code"];
  constructor(code: LinkError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
