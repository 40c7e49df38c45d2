import type { IncomingMessage } from "node:http";

/**
 * The whole body, or undefined as soon as `fits` says of so many bytes that they are too many: what says so itself is
 * not waited for. The rest is then still on its way, so the answer must end the connection. Empty where the client went.
 */
export async function readBody(
  incoming: IncomingMessage,
  fits: (bytes: number) => boolean,
): Promise<Uint8Array | undefined> {
  if (!fits(Number(incoming.headers["content-length"] ?? 0))) return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Destroyed here, the connection would be gone before the answer is out.
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      length += bytes.length;
      if (!fits(length)) return undefined;
      chunks.push(bytes);
    }
  } catch {
    // The client went away; there is nobody to answer.
    return new Uint8Array();
  }
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}
