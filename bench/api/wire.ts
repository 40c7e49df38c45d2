import { connect, type Socket } from "node:net";
import { systemClock } from "@coalmine/runtime/system-clock";
import { signedRequest } from "../../simulator/cloud/protocol/signed-request.ts";
import type { Api } from "./calls.ts";

/** `CreateThing` so often, signed here: so many calls of the SDK's client would take longer than all the rest. */
export function manyThings(api: Api, count: number): { bytes: Buffer }[] {
  const now = systemClock.now();
  return Array.from({ length: count }, (_, n) => {
    const path = `/things/many-${n}`;
    const asked = { service: "iot", method: "POST", path, body: {} };
    const { headers, body } = signedRequest(asked, { ...api, credentials: api, now });
    const lines = Object.entries({ ...headers, "content-length": body.length }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    return { bytes: Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n`), body]) };
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
  requests: readonly { readonly bytes: Buffer }[],
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
        const request = requests[at]?.bytes ?? Buffer.alloc(0);
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
