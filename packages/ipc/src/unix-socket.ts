import { chmod, lstat, mkdtemp, rm, symlink } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Log } from "@coalmine/ports";
import { Closing, CoalmineError, silentLog } from "@coalmine/runtime";
import { serveIpc } from "./serve-ipc.ts";
import type { IpcService } from "./service.ts";
import { socketLink } from "./socket-link.ts";

/** The path of a Unix socket that the system takes, without its closing zero. */
const SOCKET_PATH_BYTES_MAX = 107;
const CONNECTIONS_MAX = 1024;
/** A client that has not connected by then is closed. */
const HANDSHAKE_MS_MAX = 10_000;

export class SocketTaken extends CoalmineError {
  readonly code = "ERR_IPC_SOCKET_TAKEN";
}

export interface UnixSocket {
  readonly path: string;
  /**
   * The path to put into a component's environment. Where the absolute one is too long for the system it is relative,
   * and right for a process whose folder is `<root>/work/<component>`.
   */
  readonly pathForComponents: string;
  close(): Promise<void>;
}

/** Serves Greengrass IPC on `<root>/ipc.socket`, which every user of the machine may open: the token is what counts. */
export async function serveOnUnixSocket(
  service: IpcService,
  root: string,
  log: Log = silentLog,
): Promise<UnixSocket> {
  const name = "ipc.socket";
  const path = join(resolve(root), name);
  const closing = new Closing();
  const isLong = Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX;
  await removeStale(path);
  // The system knows the socket by the name it was bound with; a short detour leads to the same file.
  const listenPath = isLong ? join(await shortWay(resolve(root), closing), name) : path;
  const connections = new Set<{ close(): Promise<void> }>();
  const server = createServer((socket) => {
    const connection = serveIpc(service, socketLink(socket), log);
    connections.add(connection);
    const patience = setTimeout(() => {
      if (connection.principal() === undefined) socket.destroy();
    }, HANDSHAKE_MS_MAX);
    socket.once("close", () => {
      clearTimeout(patience);
      connections.delete(connection);
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  try {
    await listen(server, listenPath);
    closing.add(server, stopListening);
    await chmod(listenPath, 0o666);
  } catch (failure) {
    await closing.close();
    throw failure;
  }
  return {
    path,
    pathForComponents: isLong ? `../../${name}` : path,
    close: async () => {
      await Promise.all([...connections].map((connection) => connection.close()));
      await closing.close();
    },
  };
}

async function shortWay(root: string, closing: Closing): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ipc-"));
  closing.add(folder, () => rm(folder, { recursive: true }));
  await symlink(root, join(folder, "r"));
  return join(folder, "r");
}

/** A socket that a killed server left is in the way; anything else there is not ours to remove. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket())
    throw new SocketTaken(
      `cannot serve IPC on ${path}: something else is there; remove it or choose another root`,
    );
  await rm(path);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((listening, failed) => {
    server.once("error", failed);
    server.listen(path, () => {
      server.off("error", failed);
      listening();
    });
  });
}

function stopListening(server: Server): Promise<void> {
  return new Promise((stopped) => server.close(() => stopped()));
}
