import { connect, type Socket } from "node:net";
import { crc32 } from "node:zlib";
import { encodeMessage } from "@coalmine/ipc/message";
import { messageTypes, toMessage } from "@coalmine/ipc/rpc-message";

const IN_FLIGHT = 64;
const PAYLOAD_BYTES = 1024;

const text = (value: string) => new TextEncoder().encode(value);

/**
 * Frames per second through a socket with 64 in flight, sent and counted without taking them apart: what the client itself
 * takes is to be little. `framesPerMessage` is how many come back for each one that is sent.
 */
export async function frameRate(path: string, token: string | undefined, messages: number): Promise<number> {
  const framesPerMessage = token === undefined ? 1 : 2;
  const socket = connect(path);
  await new Promise<void>((open) => socket.once("connect", open));
  const counted = counter(socket);
  let streamId = 0;
  if (token !== undefined) {
    socket.write(
      frame(messageTypes.connect, 0, { ":version": "0.1.0" }, JSON.stringify({ authToken: token })),
    );
    await counted.reach(1);
    socket.write(
      frame(0, ++streamId, { operation: "aws.greengrass#SubscribeToTopic" }, '{"topic":"bench/t"}'),
    );
    await counted.reach(2);
  }
  const next = numbered(published());
  counted.reset();
  const begun = performance.now();
  let sent = 0;
  const done = counted.reach(messages * framesPerMessage);
  const send = (count: number): void => {
    const batch: Uint8Array[] = [];
    for (; batch.length < count && sent < messages; sent++) batch.push(next(++streamId));
    if (batch.length > 0) socket.write(Buffer.concat(batch));
  };
  send(IN_FLIGHT);
  counted.onFrames((frames) => send(Math.floor(frames / framesPerMessage) + IN_FLIGHT - sent));
  await done;
  const seconds = (performance.now() - begun) / 1000;
  socket.destroy();
  return messages / seconds;
}

function published(): Uint8Array {
  const empty = JSON.stringify({ topic: "bench/t", publishMessage: { jsonMessage: { message: { v: "" } } } });
  const filled = empty.replace('"v":""', `"v":"${"x".repeat(PAYLOAD_BYTES - 8)}"`);
  return frame(0, 1, { operation: "aws.greengrass#PublishToTopic" }, filled);
}

/** The same frame under another stream's id: four bytes and the checksum at its end change. */
function numbered(template: Uint8Array): (streamId: number) => Uint8Array {
  const name = text(":stream-id");
  const at = Buffer.from(template).indexOf(name) + name.length + 1;
  return (streamId) => {
    const bytes = Uint8Array.from(template);
    const view = new DataView(bytes.buffer);
    view.setInt32(at, streamId);
    view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)));
    return bytes;
  };
}

function frame(type: number, streamId: number, headers: Record<string, string>, payload: string): Uint8Array {
  return encodeMessage(
    toMessage({
      type,
      flags: 0,
      streamId,
      headers: Object.entries(headers).map(([name, value]) => ({ name, type: "string", value })),
      payload: text(payload),
    }),
  );
}

/** Counts frames by their lengths alone. */
function counter(socket: Socket) {
  let frames = 0;
  let held: Buffer = Buffer.alloc(0);
  let wanted = Infinity;
  let reached = (): void => undefined;
  let heard: (frames: number) => void = () => undefined;
  socket.on("data", (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let at = 0;
    while (held.length - at >= 4) {
      const length = held.readUInt32BE(at);
      if (held.length - at < length) break;
      at += length;
      frames++;
    }
    held = held.subarray(at);
    heard(frames);
    if (frames >= wanted) reached();
  });
  return {
    reach: (count: number): Promise<void> =>
      new Promise((resolve) => {
        wanted = count;
        reached = resolve;
        if (frames >= count) resolve();
      }),
    reset: (): void => {
      frames = 0;
    },
    onFrames: (handler: (count: number) => void): void => {
      heard = handler;
    },
  };
}
