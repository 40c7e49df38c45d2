import { once } from "node:events";
import { createServer } from "node:net";
import { serialLinks } from "@coalmine/device/serial-links";
import { systemClock } from "@coalmine/runtime/system-clock";
import { ServerSerial, ServerTCP } from "modbus-serial";
import { afterEach, expect, test } from "vitest";
import { joinedTerminals } from "../../../simulator/instruments/joined-terminals.ts";
import { modbusMaster, type Manners } from "./master.ts";
import { readNumber } from "./register-type.ts";
import { modbusSelfTest } from "./self-test.ts";

/** Against an implementation that is not ours, over a real socket and a real pseudo-terminal. */
const cleaning: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleaning.splice(0).reverse()) await clean();
});

const manners: Manners = {
  timeoutMs: 1000,
  pauseAfterConnectMs: 0,
  pauseBetweenRequestsMs: 0,
  silenceMs: 1.75,
  diagnostics: true,
  lateReplyMaxMs: 500,
};
const float = Buffer.alloc(4);
float.writeFloatBE(21.5);
const vector = {
  getInputRegister: (address: number) => 1000 + address,
  getHoldingRegister: (address: number) => float.readUInt16BE(2 * (address % 2)),
  getCoil: (address: number) => address % 3 === 0,
  getDiscreteInput: (address: number) => address % 2 === 0,
};
const links = serialLinks(systemClock);

async function answersLikeThePeer(open: () => ReturnType<typeof links.open>, framing: "rtu" | "tcp") {
  const master = modbusMaster(framing, await open(), systemClock, manners);
  const read = async (code: 1 | 2 | 3 | 4, address: number, count: number) => {
    const outcome = await master.read({ unit: 1, function: code, address, count });
    if (outcome.kind !== "values") throw new Error(JSON.stringify(outcome));
    return outcome.data;
  };
  const inputs = await read(4, 10, 125);
  expect([0, 124].map((at) => readNumber(inputs, at, "u16", "abcd"))).toEqual([1010, 1134]);
  expect(readNumber(await read(3, 0, 2), 0, "f32", "abcd")).toBe(21.5);
  const bits = (data: Uint8Array) => [0, 1, 2, 3].map((at) => readNumber(data, at, "bit", "abcd"));
  expect(bits(await read(1, 0, 4))).toEqual([1, 0, 0, 1]);
  expect(bits(await read(2, 1, 4))).toEqual([0, 1, 0, 1]);
  await master.close();
  const requests = [{ unit: 1, function: 4, address: 0, count: 2 } as const];
  expect(await modbusSelfTest(await open(), systemClock, { framing, manners, requests })).toMatchObject({
    found: true,
    passed: true,
    asked: 20,
    answered: 20,
  });
}

test("reads an independent slave over TCP", async () => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise((closed) => probe.close(closed));
  const server = new ServerTCP(vector, { host: "127.0.0.1", port, unitID: 1 });
  cleaning.push(() => new Promise((closed) => server.close(closed)));
  await new Promise((ready) => server.on("initialized", ready));
  await answersLikeThePeer(() => links.open({ kind: "tcp", host: "127.0.0.1", port }), "tcp");
});

test("reads an independent slave over a real pseudo-terminal", async () => {
  const [ours, theirs] = joinedTerminals(cleaning);
  const server = new ServerSerial(vector, { path: theirs, baudRate: 115_200, unitID: 1 });
  cleaning.push(() => new Promise((closed) => server.close(closed)));
  await new Promise((ready) => server.on("initialized", ready));
  await answersLikeThePeer(() => links.open({ kind: "serial", id: ours, baudRate: 115_200 }), "rtu");
});
