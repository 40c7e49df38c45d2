import { closeSync, constants, mkdirSync, openSync, renameSync, rmSync, symlinkSync, write } from "node:fs";
import { join } from "node:path";
import { open } from "@lydell/node-pty";
import { asyncGetBaudRate } from "@serialport/bindings-cpp/dist/load-bindings.js";
import type { Clock, Link, LinkClosed } from "@coalmine/ports";
import type { Attachable } from "./hosted-links.ts";

/** A larger write can fill the terminal's buffer, and whoever waits in it waits with the whole process. */
const WRITE_BYTES_MAX = 4096;
/** How long to wait for a reader to make room: what a UART would have lost long ago. */
const RETRY_AFTER_MS = 5;
const RETRIES_MAX = 400;

export interface ServedPty {
  /** `<folder>/<id>`, the same at every plugging. */
  readonly path: string;
  /** Pulls the cable: whoever has it open sees it close, and the name goes. */
  unplug(): void;
  /** A new terminal under the same name. */
  plug(): void;
}

/** Puts an instrument behind a real pseudo-terminal. */
export function servePty(instrument: Attachable, folder: string, clock: Clock): ServedPty {
  const path = join(folder, instrument.id);
  mkdirSync(folder, { recursive: true });
  let end: PtyEnd | undefined;
  const unplug = () => {
    if (end === undefined) return;
    rmSync(path, { force: true });
    void end.close();
    end = undefined;
  };
  const plug = () => {
    unplug();
    const fresh = new PtyEnd(clock);
    end = fresh;
    instrument.attach(fresh, () => fresh.host());
    // Under its name only when it is ready, and in one step, so that a watcher never sees a half.
    const name = `${folder}.${instrument.id}.new`;
    rmSync(name, { force: true });
    symlinkSync(fresh.ptsPath, name);
    renameSync(name, path);
  };
  plug();
  return { path, unplug, plug };
}

/** The instrument's end. Like a UART it does not see whether anybody has the other end open. */
class PtyEnd implements Link {
  readonly ptsPath: string;
  readonly #clock: Clock;
  readonly #terminal: ReturnType<typeof open>;
  /** Held open, never read: without it the terminal would hang up whenever a reader closes. */
  readonly #held: number;
  #closed: ((why: LinkClosed) => void) | undefined;
  #open = true;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#terminal = open({ encoding: null });
    this.ptsPath = this.#terminal.ptsName;
    // No echo and no line editing, before anybody opens it.
    this.#terminal.master.setRawMode(true);
    this.#held = openSync(this.ptsPath, constants.O_RDWR | constants.O_NOCTTY);
    this.#terminal.slave.destroy();
    this.#terminal.master.on("error", (error: Error) => this.#end({ by: "other", reason: error.message }));
    this.#terminal.master.on("close", () => this.#end({ by: "other", reason: "the terminal closed" }));
  }

  /** The rate that whoever has the other end open has set; a pseudo-terminal keeps it, but no parity. */
  host(): Promise<{ readonly baudRate: number }> {
    return asyncGetBaudRate(this.#held);
  }

  async write(bytes: Uint8Array): Promise<void> {
    let at = 0;
    for (let tries = 0; at < bytes.length;) {
      if (!this.#open) throw new Error("The terminal is closed; plug it again.");
      const written = await this.#writeSome(bytes.subarray(at, at + WRITE_BYTES_MAX));
      at += written;
      if (written > 0) tries = 0;
      else if (++tries > RETRIES_MAX) throw new Error("Nobody reads the terminal; what was sent is lost.");
      else await this.#clock.sleep(RETRY_AFTER_MS);
    }
  }

  /** 0 when the terminal's buffer is full. Not through the stream, which would spin until there is room. */
  #writeSome(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#terminal.fd, bytes, (error, written) => {
        if (error === null) resolve(written);
        else if (error.code === "EAGAIN") resolve(0);
        else reject(error);
      });
    });
  }

  onData(receive: (bytes: Uint8Array) => void): void {
    this.#terminal.master.on("data", (bytes: Uint8Array) => receive(bytes));
  }
  onClose(closed: (why: LinkClosed) => void): void {
    this.#closed = closed;
  }
  async close(): Promise<void> {
    this.#end({ by: "us" });
  }

  #end(why: LinkClosed): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#held);
    this.#terminal.master.destroy();
    this.#closed?.(why);
  }
}
