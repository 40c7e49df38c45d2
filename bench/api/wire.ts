import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { systemClock } from "@coalmine/runtime/system-clock";
import { signedRequest } from "../../simulator/cloud/protocol/signed-request.ts";
import { type Api, type Call, clientsOf } from "./calls.ts";

/**
 * What the SDK's clients put on the wire for each call, byte for byte: they send it to a listener that keeps it and
 * answers nothing of use. A signature counts for fifteen minutes, and for whatever port it is sent to.
 */
export async function recorded(api: Api, calls: readonly Call[]): Promise<Buffer[]> {
  let last: Buffer | undefined;
  const listener = createServer((incoming, outgoing) => {
    const body: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => body.push(chunk));
    incoming.on("end", () => {
      const { method = "", url = "", rawHeaders } = incoming;
      const lines = [`${method} ${url} HTTP/1.1`];
      for (let at = 0; at < rawHeaders.length; at += 2)
        lines.push(`${rawHeaders[at] ?? ""}: ${rawHeaders[at + 1] ?? ""}`);
      last = Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), ...body]);
      outgoing.writeHead(200, { "content-length": 0 }).end();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const clients = clientsOf(api, `http://127.0.0.1:${port}`, 1);
  const made = new Map<string, Buffer>();
  try {
    for (const call of calls) {
      if (made.has(call.name)) continue;
      last = undefined;
      // That the empty answer is none of the service's is not of interest.
      await call.send(clients).catch(() => undefined);
      if (last === undefined) throw new Error(`nothing was sent for ${call.name}`);
      made.set(call.name, last);
    }
  } finally {
    for (const client of Object.values(clients)) client.destroy();
    listener.close();
  }
  return calls.map(({ name }) => made.get(name) ?? Buffer.alloc(0));
}

/** `CreateThing` so often, signed here: so many calls of the SDK's client would take longer than all the rest. */
export function manyThings(api: Api, count: number): Buffer[] {
  const now = systemClock.now();
  return Array.from({ length: count }, (_, n) => {
    const path = `/things/many-${n}`;
    const asked = { service: "iot", method: "POST", path, body: {} };
    const { headers, body } = signedRequest(asked, { ...api, credentials: api, now });
    const lines = Object.entries({ ...headers, "content-length": body.length }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`), body]);
  });
}

export interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

/** All of them, over so many kept-alive connections, each with one request at a time. Latencies in order. */
export async function replay(
  endpoint: string,
  requests: readonly Buffer[],
  connections: number,
): Promise<{ seconds: number; latenciesMs: number[]; answers: Answer[] }> {
  const { hostname, port } = new URL(endpoint);
  const latenciesMs: number[] = [];
  const answers: Answer[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    const socket = connect(Number(port), hostname).setNoDelay(true);
    try {
      for (let at = next++; at < requests.length; at = next++) {
        const request = requests[at] ?? Buffer.alloc(0);
        const sent = performance.now();
        const answer = await exchange(socket, request);
        latenciesMs.push(performance.now() - sent);
        if (answer.status >= 400)
          throw new Error(
            `${request.toString("latin1", 0, 200)}: ${answer.status} ${answer.body.toString()}`,
          );
        answers[at] = answer;
      }
    } finally {
      socket.destroy();
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, work));
  const seconds = (performance.now() - started) / 1000;
  return { seconds, latenciesMs: latenciesMs.sort((one, other) => one - other), answers };
}

/** One request and its answer, whose length is stated or which has no body. */
function exchange(socket: Socket, request: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const ended = (failure?: Error): void => {
      socket.off("data", take).off("error", ended).off("close", ended);
      reject(failure instanceof Error ? failure : new Error("the connection closed before the answer"));
    };
    const take = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = bytes.toString("latin1", 0, end);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (bytes.length < end + 4 + length) return;
      socket.off("data", take).off("error", ended).off("close", ended);
      resolve({ status: Number(head.slice(9, 12)), head, body: bytes.subarray(end + 4) });
    };
    socket.on("data", take).on("error", ended).on("close", ended);
    socket.write(request);
  });
}
