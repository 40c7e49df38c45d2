import { expect, test } from "vitest";
import type { Link } from "@coalmine/ports";
import { linkPair } from "../../cloud/broker/link-pair.ts";
import { Network } from "./network.ts";

const turn = () => new Promise<void>((done) => setImmediate(done));
const bytes = (text: string) => new TextEncoder().encode(text);

/** A connection over a network, with what each end heard. */
async function connected(network: Network) {
  let far: Link | undefined;
  const heard = { near: "", far: "", nearClosed: "", farClosed: "" };
  const near = await network.connect(linkPair, (accepted) => (far = accepted));
  const read = (data: Uint8Array) => new TextDecoder().decode(data);
  near.onData((data) => (heard.near += read(data)));
  near.onClose((why) => (heard.nearClosed = why.by));
  far?.onData((data) => (heard.far += read(data)));
  far?.onClose((why) => (heard.farClosed = why.by));
  return { near, far: far as Link, heard };
}

test("what is sent while the line is cut arrives after it is mended, in order, both ways", async () => {
  const network = new Network();
  const { near, far, heard } = await connected(network);
  await near.write(bytes("a"));
  const mend = network.cut();
  await near.write(bytes("b"));
  await far.write(bytes("x"));
  await turn();
  expect(heard).toMatchObject({ near: "", far: "a" });
  mend();
  await near.write(bytes("c"));
  await turn();
  expect(heard).toMatchObject({ near: "x", far: "abc" });
});

test("a line with two cuts is mended with the second", async () => {
  const network = new Network();
  const [one, other] = [network.cut(), network.cut()];
  one();
  one();
  expect(network.isOnline).toBe(false);
  await expect(connected(network)).rejects.toThrow("no network");
  other();
  expect(network.isOnline).toBe(true);
});

test("an end that closes while the line is cut is not missed before it is mended", async () => {
  const network = new Network();
  const { near, far, heard } = await connected(network);
  network.cut();
  await far.close();
  await turn();
  expect(heard.nearClosed).toBe("");
  network.restore();
  await turn();
  expect(heard.nearClosed).toBe("other");
  await expect(near.write(bytes("late"))).rejects.toThrow("closed");
});

test("a line that lost bytes is reset", async () => {
  const network = new Network();
  const { near, heard } = await connected(network);
  network.cut();
  for (let kibibytes = 0; kibibytes < 300; kibibytes++) await near.write(new Uint8Array(1024));
  network.restore();
  await turn();
  expect(heard).toMatchObject({ far: "", nearClosed: "other", farClosed: "other" });
});

test("whoever lost power says no farewell", async () => {
  const network = new Network();
  const { near, heard } = await connected(network);
  network.vanish();
  await near.close();
  await turn();
  expect(heard).toMatchObject({ nearClosed: "", farClosed: "" });
});
