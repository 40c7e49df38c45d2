import type { ReadStream } from "node:tty";

declare module "@lydell/node-pty" {
  /** A pseudo-terminal without a process. Never call its `destroy` or `kill`: they signal every process there is. */
  export function open(options: { readonly encoding: null }): {
    readonly master: ReadStream & { write(bytes: Uint8Array): boolean };
    readonly slave: ReadStream;
    /** Of the master's end. */
    readonly fd: number;
    /** Path of the end that others open. */
    readonly ptsName: string;
  };
}
