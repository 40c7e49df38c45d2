import { readFile, stat } from "node:fs/promises";
import type { Link, LinkClosed, LinkTarget } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { SerialPort } from "serialport";
import { LinkFailure } from "./link-error.ts";
import { noticeHangUp } from "./terminal-read.ts";

/** Larger writes to a pseudo-terminal block for good where both its ends are in one process. */
const WRITE_BYTES_MAX = 4096;

/** Opens the port at `path`; rejects with a `LinkFailure` that says what to do. */
export async function openSerial(
  path: string,
  target: Extract<LinkTarget, { kind: "serial" }>,
): Promise<Link> {
  const { id, baudRate, dataBits = 8, parity = "none", stopBits = 1 } = target;
  const port = new SerialPort({ path, baudRate, dataBits, parity, stopBits, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((failure) => {
      if (failure === null || failure === undefined) resolve();
      else refused(id, path, failure).then(reject, reject);
    });
  });
  noticeHangUp(port);
  return serialLink(port);
}

function serialLink(port: SerialPort): Link {
  let closedByUs = false;
  let why: LinkClosed | undefined;
  let tell: ((why: LinkClosed) => void) | undefined;
  let reason = "the port hung up";
  const pending = new Set<(gone: Error) => void>();
  const closed = new Promise<void>((resolve) => {
    port.once("close", (failure: Error | null) => {
      if (failure instanceof Error) reason = failure.message;
      why = closedByUs ? { by: "us" } : { by: "other", reason };
      for (const reject of pending) reject(new LinkFailure("LINK_FAILED", `the link is closed: ${reason}`));
      tell?.(why);
      resolve();
    });
  });
  port.on("error", (failure: Error) => {
    reason = failure.message;
    if (port.isOpen) port.close();
  });
  const writeSome = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      pending.add(reject);
      port.write(bytes, (failure) => {
        pending.delete(reject);
        if (failure === null || failure === undefined) resolve();
        else reject(new LinkFailure("LINK_FAILED", `cannot write: ${failure.message}`, { cause: failure }));
      });
    });
  let last: Promise<void> = Promise.resolve();
  const write = async (bytes: Uint8Array): Promise<void> => {
    for (let start = 0; start < bytes.length; start += WRITE_BYTES_MAX) {
      if (why !== undefined || closedByUs) throw new LinkFailure("LINK_FAILED", "the link is closed");
      await writeSome(bytes.subarray(start, start + WRITE_BYTES_MAX));
    }
  };
  return {
    write: (bytes) => {
      // One after the other, so that parts of two writes do not mix.
      const written = last.then(() => write(bytes));
      last = written.catch(() => undefined);
      return written;
    },
    onData: (receive) => {
      port.on("data", (bytes: Uint8Array) => receive(bytes));
    },
    onClose: (handler) => {
      tell = handler;
      if (why !== undefined) handler(why);
    },
    close: async () => {
      if (why === undefined) {
        closedByUs = true;
        if (port.isOpen) port.close();
        await closed;
      }
    },
  };
}

async function refused(id: string, path: string, failure: Error): Promise<LinkFailure> {
  const text = messageOf(failure);
  if (/no such file|no such device|not a directory/i.test(text))
    return new LinkFailure("NO_SUCH_LINK", `cannot open ${id}: it is not there; plug it in (${text})`, {
      cause: failure,
    });
  if (/lock port|busy|temporarily unavailable/i.test(text))
    return new LinkFailure(
      "LINK_BUSY",
      `cannot open ${id}: another process has it open; close that (${text})`,
      {
        cause: failure,
      },
    );
  if (/permission denied|not permitted/i.test(text))
    return new LinkFailure(
      "LINK_DENIED",
      `cannot open ${id}: no right to; the component's user must be in the port's group, ${await groupOf(path)} (${text})`,
      { cause: failure },
    );
  return new LinkFailure("LINK_FAILED", `cannot open ${id}: ${text}`, { cause: failure });
}

/** By its name where the system has one for it. */
async function groupOf(path: string): Promise<string> {
  try {
    const { gid } = await stat(path);
    const groups = (await readFile("/etc/group", "utf8")).split("\n").map((line) => line.split(":"));
    return groups.find(([, , id]) => id === String(gid))?.[0] ?? `number ${gid}`;
  } catch {
    return "usually dialout";
  }
}
