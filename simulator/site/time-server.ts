import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Clock } from "@coalmine/ports";
import { NTP_BYTES, writeNtpTime } from "@coalmine/site/network-time";
import type { SitePlan } from "./site-plan.ts";

const SERVER_VERSION_4 = (4 << 3) | 4;
const ALARM = 3 << 6;

/** An NTP server on loopback (RFC 5905). */
export async function serveTime(clock: Clock, plan: () => SitePlan): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (question, { address, port }) => {
    const { time } = plan();
    if (time === "silent" || question.length < NTP_BYTES) return;
    const answer = new Uint8Array(NTP_BYTES);
    answer[0] = SERVER_VERSION_4 | (time === "unsynchronised" ? ALARM : 0);
    answer[1] = time === "unsynchronised" ? 16 : 2;
    answer.set(question.subarray(40, NTP_BYTES), 24);
    writeNtpTime(answer, 32, clock.now());
    writeNtpTime(answer, 40, clock.now());
    socket.send(answer, port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}
