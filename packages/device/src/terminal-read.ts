import { read } from "node:fs";
import { promisify } from "node:util";
import type { SerialPort } from "serialport";
import * as z from "zod";

const readSome = promisify(read);
const System = z.object({ code: z.string() });
const NOT_YET = new Set(["EAGAIN", "EWOULDBLOCK", "EINTR"]);

/**
 * Gives an open port a reading that notices a hang-up. A terminal tells it by a read of no bytes, and `serialport`'s
 * own reading then asks again at once, for ever, with a processor and growing memory.
 * @see https://github.com/serialport/bindings-cpp/issues/162
 */
export function noticeHangUp(port: SerialPort): void {
  const terminal = port.port;
  if (terminal === undefined || !("poller" in terminal)) return;
  const { poller } = terminal;
  const readable = (): Promise<void> =>
    new Promise((resolve, reject) => {
      poller.once("readable", (failure) => (failure === null ? resolve() : reject(failure)));
    });
  terminal.read = async (buffer, offset, length) => {
    for (;;) {
      if (terminal.fd === null) throw new Error("the port is closed");
      const bytesRead = await readNow(terminal.fd, buffer, offset, length);
      if (bytesRead === 0) throw new Error("the other end hung up");
      if (bytesRead !== undefined) return { bytesRead, buffer };
      // Closed while it was read: to wait on a file that is closed ends the whole process by a fault.
      if (terminal.fd === null) throw new Error("the port is closed");
      await readable();
    }
  };
}

/** The bytes that are there, or undefined where none are yet. */
async function readNow(
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
): Promise<number | undefined> {
  try {
    return (await readSome(fd, buffer, offset, length, null)).bytesRead;
  } catch (failure) {
    if (NOT_YET.has(System.safeParse(failure).data?.code ?? "")) return undefined;
    throw failure;
  }
}
