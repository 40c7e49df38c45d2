import type { Clock } from "./clock.ts";
import type { Crypto } from "./crypto.ts";
import type { Files } from "./files.ts";
import type { Ipc } from "./ipc.ts";
import type { Links } from "./links.ts";
import type { Log } from "./log.ts";
import type { Models } from "./model.ts";
import type { ComponentProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { CloudLogs, Objects, Streams } from "./services.ts";

/**
 * The version of everything in this package, together. A bundle exports the one it was built against; the simulator
 * runs this and the two before it. Dropping one is a decision record.
 */
export const PORTS_VERSION = 1;

/** All that a component may touch. In `component.ts` only these and resolved promises are awaited. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly ipc: Ipc;
  readonly links: Links;
  readonly files: Files;
  readonly model: Models;
  readonly objects: Objects;
  readonly streams: Streams;
  readonly cloudLogs: CloudLogs;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly process: ComponentProcess;
}

/** A started component. `stop` ends it within `signal`'s patience: what is durable stays, what is open is closed. */
export interface Running {
  stop(signal: AbortSignal): Promise<void>;
}

/** What `component.mjs` exports. `start` rejects where the component cannot run, with a sentence for the operator. */
export interface ComponentModule<Used extends keyof Ports = keyof Ports> {
  readonly portsVersion: number;
  start(ports: Pick<Ports, Used>): Promise<Running>;
}
