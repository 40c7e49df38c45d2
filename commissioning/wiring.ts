import { selfTest, type SelfTest, SELF_TEST_READINGS } from "@coalmine/instrument";
import type { Clock, LinkInfo, Links } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { PortResult } from "./journal.ts";
import { CommissioningRefused } from "./refusal.ts";

/** Asks whatever is behind each serial port who it is, and has it read its empty channel; at the same time. */
export async function testPorts(
  links: Links,
  baudRate: number,
  clock: Clock,
): Promise<readonly PortResult[]> {
  const ports = await links.list();
  if (ports.length === 0)
    throw new CommissioningRefused(
      "no-serial-port",
      "there is no serial port; plug the adapter in, and check that its driver makes a name in /dev/serial/by-id",
    );
  return Promise.all(ports.map((port) => testPort(links, port, baudRate, clock)));
}

/** Throws for the first thing that a person has to mend before this device may go into service. */
export function refuseUnhealthy(ports: readonly PortResult[]): void {
  const complaints = ports
    .filter(({ passed }) => !passed)
    .map(({ port, sentence }) => `${port}: ${sentence}`);
  if (complaints.length === 0) return;
  const silent = ports.some(({ found }) => !found);
  throw new CommissioningRefused(
    silent ? "silent-instrument" : "unhealthy-instrument",
    `${complaints.join(" ")} Then run this again: it goes on with the self-test.`,
  );
}

async function testPort(links: Links, { id }: LinkInfo, baudRate: number, clock: Clock): Promise<PortResult> {
  try {
    const link = await links.open({ kind: "serial", id, baudRate });
    return told(id, await selfTest(link, clock));
  } catch (failure) {
    if (codeOf(failure) === "LINK_BUSY" || codeOf(failure) === "LINK_DENIED")
      throw new CommissioningRefused("port-taken", `${messageOf(failure)}; then run this again`, {
        cause: failure,
      });
    return {
      port: id,
      found: false,
      passed: false,
      sentence: `The port cannot be opened (${messageOf(failure)}): check the plug.`,
    };
  }
}

function told(port: string, test: SelfTest): PortResult {
  if (!test.found) return { port, found: false, passed: false, sentence: test.advice };
  const { instrument, firmware, boot, readings, noise, offset, driftPerMinute, temperature, passed, advice } =
    test;
  const sentence = passed
    ? `${instrument} with firmware ${firmware}: ${readings} of ${SELF_TEST_READINGS} readings, noise ${noise.toPrecision(2)} Pa, offset ${offset.toPrecision(2)} Pa, ${temperature.toFixed(1)} °C.`
    : advice;
  return {
    port,
    found: true,
    passed,
    instrument,
    firmware,
    boot,
    readings,
    noise,
    offset,
    driftPerMinute,
    temperature,
    sentence,
  };
}

function codeOf(failure: unknown): unknown {
  return failure instanceof Error && "code" in failure ? failure.code : undefined;
}
