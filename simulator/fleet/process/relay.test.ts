import { connect, createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { Relay } from "./relay.ts";

async function echo() {
  const server = createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

/** Whether anything comes within a moment. */
async function silent(heard: () => string): Promise<string> {
  const before = heard();
  await new Promise((resolve) => setTimeout(resolve, 50));
  return heard().slice(before.length);
}

test("while it is cut nothing comes through and nobody is told; mended, everything is there in order", async () => {
  const { server, port } = await echo();
  const relay = await Relay.to(port);
  const old = connect(relay.port, "127.0.0.1");
  let heard = "";
  let ended = 0;
  old.on("data", (bytes) => (heard += bytes.toString()));
  old.on("close", () => ended++);
  old.write("a");
  await expect.poll(() => heard).toBe("a");
  relay.cut();
  old.write("b");
  const fresh = connect(relay.port, "127.0.0.1");
  let answered = "";
  fresh.on("data", (bytes) => (answered += bytes.toString()));
  fresh.write("new");
  expect(await silent(() => heard + answered)).toBe("");
  old.write("c");
  relay.mend();
  await expect.poll(() => [heard, answered]).toEqual(["abc", "new"]);
  expect(ended).toBe(0);
  await relay.close();
  await expect.poll(() => ended).toBe(1);
  fresh.destroy();
  server.close();
});

test("an end that closes closes the other", async () => {
  const { server, port } = await echo();
  const relay = await Relay.to(port);
  const socket = connect(relay.port, "127.0.0.1");
  socket.end("last words");
  let heard = "";
  socket.on("data", (bytes) => (heard += bytes.toString()));
  await once(socket, "close");
  expect(heard).toBe("last words");
  await relay.close();
  server.close();
});
