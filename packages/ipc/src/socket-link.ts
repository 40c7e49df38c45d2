import type { Socket } from "node:net";
import type { Link, LinkClosed } from "@coalmine/ports";

/** How long a closing socket may take to hand out what was written. */
const FLUSH_MS_MAX = 1000;

/** A connected socket as a `Link`. Nothing is read before `onData` has its handler. */
export function socketLink(socket: Socket): Link {
  let closedByUs = false;
  let failure: Error | undefined;
  let why: LinkClosed | undefined;
  let tell: ((why: LinkClosed) => void) | undefined;
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      why = closedByUs
        ? { by: "us" }
        : { by: "other", reason: failure?.message ?? "the other end closed the connection" };
      tell?.(why);
      resolve();
    });
  });
  socket.on("error", (error) => {
    failure = error;
  });
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(error);
        });
      }),
    onData: (receive) => {
      socket.on("data", receive);
    },
    onClose: (handler) => {
      tell = handler;
      if (why !== undefined) handler(why);
    },
    close: async () => {
      if (!socket.destroyed) {
        closedByUs = true;
        socket.end();
        // A peer that does not read would keep it open.
        const patience = setTimeout(() => socket.destroy(), FLUSH_MS_MAX);
        await closed;
        clearTimeout(patience);
      }
    },
  };
}
