import { connect } from "node:net";
import { socketLink } from "@coalmine/ipc/socket-link";
import type { Link } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { LinkFailure } from "./link-error.ts";

const CONNECT_MS_MAX = 10_000;
/** After so long without a byte the system asks whether the other end is still there. */
const KEEP_ALIVE_AFTER_MS = 10_000;

/** Connects to an instrument on the network; rejects with a `LinkFailure` that says what to do. */
export async function openTcp(host: string, port: number): Promise<Link> {
  const socket = connect({ host, port, noDelay: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
      socket.setTimeout(CONNECT_MS_MAX, () => reject(new Error(`no answer within ${CONNECT_MS_MAX} ms`)));
    });
  } catch (failure) {
    socket.destroy();
    throw refused(`${host}:${port}`, failure);
  }
  socket.removeAllListeners("error").removeAllListeners("timeout").setTimeout(0);
  socket.setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
  return socketLink(socket);
}

const System = z.object({ code: z.string() });

function refused(what: string, cause: unknown): LinkFailure {
  const code = System.safeParse(cause).data?.code;
  const text = `cannot connect to ${what}: ${messageOf(cause)}`;
  if (code === "ECONNREFUSED" || code === "ENOTFOUND")
    return new LinkFailure("NO_SUCH_LINK", `${text}; check the address and that the instrument is on`, {
      cause,
    });
  return code === "EACCES" || code === "EPERM"
    ? new LinkFailure("LINK_DENIED", `${text}; the system does not let this process`, { cause })
    : new LinkFailure("LINK_FAILED", text, { cause });
}
