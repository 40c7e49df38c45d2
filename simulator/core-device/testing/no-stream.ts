import type { IpcStream } from "@coalmine/ipc";

/** The server's end of a stream for operations that send no events. */
export function noStream(): IpcStream {
  return { send: () => undefined, end: () => undefined, onClose: () => undefined };
}
