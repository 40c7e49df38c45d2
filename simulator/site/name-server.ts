import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

const HEADER_BYTES = 12;
const NO_SUCH_NAME = 3;
const A = 1;
const TTL_SECONDS = 60;

/** A DNS server on loopback that answers for addresses of version 4 (RFC 1035), one question each. */
export async function serveNames(addressOf: (name: string) => string | undefined): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (query, { address, port }) => {
    const question = questionIn(query);
    if (question !== undefined) socket.send(answer(query, question, addressOf(question.name)), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

interface Question {
  readonly name: string;
  readonly type: number;
  readonly end: number;
}

function questionIn(query: Buffer): Question | undefined {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at]; length !== 0; length = query[at]) {
    if (length === undefined || length > 63) return undefined;
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  if (query.length < at + 5) return undefined;
  return { name: labels.join(".").toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answer(query: Buffer, { type, end }: Question, address: string | undefined): Buffer {
  const gives = address !== undefined && type === A;
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  // An answer, with recursion.
  header.writeUInt16BE(0x8180 | (address === undefined ? NO_SUCH_NAME : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(gives ? 1 : 0, 6);
  const question = query.subarray(HEADER_BYTES, end);
  if (!gives) return Buffer.concat([header, question]);
  const record = Buffer.alloc(12);
  // The name is the question's.
  record.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  record.writeUInt16BE(A, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(TTL_SECONDS, 6);
  record.writeUInt16BE(4, 10);
  return Buffer.concat([header, question, record, Buffer.from(address.split(".").map(Number))]);
}
