import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { TimeAnswer } from "./probes.ts";
import { resolveName } from "./resolve.ts";
import type { ProbeMeans } from "./way.ts";

export const NTP_PORT = 123;
export const NTP_BYTES = 48;
/** Between 1900, where NTP counts from, and 1970, in seconds. */
const EPOCH_SECONDS = 2_208_988_800;
const ERA_SECONDS = 2 ** 32;
const CLIENT_VERSION_4 = (4 << 3) | 3;
const ALARM = 3;

/** One question of SNTP (RFC 5905, 14): how far this machine's clock is from the server's. */
export async function networkTime(server: string, means: ProbeMeans): Promise<TimeAnswer> {
  const { wire, clock, waitMs } = means;
  const resolved = await resolveName(server, wire, waitMs);
  if (resolved.kind !== "resolved") return resolved;
  const [address = ""] = resolved.addresses;
  const to = wire.udp(address, NTP_PORT);
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(to.address) ? "udp6" : "udp4");
    let isOver = false;
    const end = (answer: TimeAnswer) => {
      if (isOver) return;
      isOver = true;
      late.cancel();
      socket.close();
      resolve(answer);
    };
    const noTime = () => end({ kind: "no-time", server, waitedMs: waitMs });
    const late = clock.timer(waitMs, noTime);
    socket.once("error", noTime);
    const question = new Uint8Array(NTP_BYTES);
    question[0] = CLIENT_VERSION_4;
    const sentAt = clock.now();
    const sentMs = clock.monotonicMs();
    writeNtpTime(question, 40, sentAt);
    socket.on("message", (answer) => {
      // What does not repeat our own time was not asked for.
      if (answer.length < NTP_BYTES || !answer.subarray(24, 32).equals(question.subarray(40))) return;
      const elapsedMs = clock.monotonicMs() - sentMs;
      const [header = 0, stratum = 0] = answer;
      if (header >> 6 === ALARM || stratum === 0) return end({ kind: "unsynchronised", server });
      const receivedByServer = readNtpTime(answer, 32);
      const sentByServer = readNtpTime(answer, 40);
      const behindMs = (receivedByServer - sentAt + (sentByServer - (sentAt + elapsedMs))) / 2;
      const roundTripMs = Math.max(0, elapsedMs - (sentByServer - receivedByServer));
      return end({ kind: "answered", aheadMs: -behindMs, roundTripMs, stratum });
    });
    socket.send(question, to.port, to.address, (failure) => {
      if (failure) noTime();
    });
  });
}

/** 32 bits of seconds and 32 of fractions; the era is not told. */
export function writeNtpTime(packet: Uint8Array, at: number, instantMs: number): void {
  const seconds = instantMs / 1000 + EPOCH_SECONDS;
  const view = new DataView(packet.buffer, packet.byteOffset);
  view.setUint32(at, Math.floor(seconds) % ERA_SECONDS);
  view.setUint32(at + 4, Math.floor((seconds % 1) * ERA_SECONDS));
}

/** An era lasts to 2036: before 1970 a time is of the next. A clock that is wrong by decades must not choose it. */
export function readNtpTime(packet: Uint8Array, at: number): number {
  const view = new DataView(packet.buffer, packet.byteOffset);
  const written = view.getUint32(at);
  const seconds = written < EPOCH_SECONDS ? written + ERA_SECONDS : written;
  return (seconds - EPOCH_SECONDS + view.getUint32(at + 4) / ERA_SECONDS) * 1000;
}
