import type { IncomingMessage } from "node:http";

const nothing = new Uint8Array();

/**
 * The whole body, or undefined as soon as `fits` says of so many bytes that they are too many: what says so itself is
 * not waited for. The rest is then still on its way, so the answer must end the connection. Empty where the client went.
 */
export function readBody(
  incoming: IncomingMessage,
  fits: (bytes: number) => boolean,
): Promise<Uint8Array | undefined> {
  if (!fits(Number(incoming.headers["content-length"] ?? 0))) return Promise.resolve(undefined);
  const chunks: Buffer[] = [];
  let length = 0;
  // By events: an iterator costs a turn of the loop a chunk.
  return new Promise((resolve) => {
    let isEnded = false;
    const end = (body: Uint8Array | undefined): void => {
      isEnded = true;
      resolve(body);
    };
    incoming.on("data", (chunk: Buffer) => {
      if (isEnded) return;
      length += chunk.length;
      chunks.push(chunk);
      if (!fits(length)) end(undefined);
    });
    incoming.on("end", () => end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    // The client went away; there is nobody to answer.
    incoming.on("error", () => end(nothing));
    incoming.on("close", () => end(nothing));
  });
}
