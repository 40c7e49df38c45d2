import { selfTest, type SelfTest, SELF_TEST_READINGS } from "@coalmine/instrument";
import { lineSelfTest } from "@coalmine/instrument/line-self-test";
import { type LineConfig, linkName } from "@coalmine/instrument/lines";
import type { Clock, LinkInfo, Links } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { PortResult } from "./journal.ts";
import { CommissioningRefused } from "./refusal.ts";

/** Instruments that do not speak the framed protocol are what `lines` says; their ports are theirs. */
export interface Wiring {
  readonly baudRate: number;
  readonly lines: readonly LineConfig[];
}

/**
 * Asks whatever is behind each serial port who it is, and has it read its empty channel; and tests the instruments of each
 * line as it is configured; all ports at the same time.
 */
export async function testInstruments(
  links: Links,
  { baudRate, lines }: Wiring,
  clock: Clock,
): Promise<readonly PortResult[]> {
  const taken = new Set(lines.map(({ link }) => linkName(link)));
  const ports = (await links.list()).filter(
    ({ id, aliases = [] }) => ![id, ...aliases].some((name) => taken.has(name)),
  );
  if (ports.length === 0 && lines.length === 0)
    throw new CommissioningRefused(
      "no-serial-port",
      "there is no serial port; plug the adapter in, and check that its driver makes a name in /dev/serial/by-id",
    );
  const results = await Promise.all([
    ...ports.map((port) => testPort(links, port, baudRate, clock)),
    ...lines.map((line) => testLine(links, line, clock)),
  ]);
  return results.flat();
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

async function testPort(
  links: Links,
  { id }: LinkInfo,
  baudRate: number,
  clock: Clock,
): Promise<readonly PortResult[]> {
  return orNotOpened(id, "check the plug", async () => {
    const link = await links.open({ kind: "serial", id, baudRate });
    return [told(id, await selfTest(link, clock))];
  });
}

async function testLine(links: Links, line: LineConfig, clock: Clock): Promise<readonly PortResult[]> {
  const port = linkName(line.link);
  const remedy =
    line.link.kind === "tcp"
      ? "check that host and port are right and that the network leads there"
      : "check the plug, and the port's name in `lines`";
  return orNotOpened(port, remedy, async () =>
    (await lineSelfTest(line, links, clock)).map((test) => ({ port, ...test })),
  );
}

async function orNotOpened(
  port: string,
  remedy: string,
  test: () => Promise<readonly PortResult[]>,
): Promise<readonly PortResult[]> {
  try {
    return await test();
  } catch (failure) {
    if (codeOf(failure) === "LINK_BUSY" || codeOf(failure) === "LINK_DENIED")
      throw new CommissioningRefused("port-taken", `${messageOf(failure)}; then run this again`, {
        cause: failure,
      });
    const sentence = `The port cannot be opened (${messageOf(failure)}): ${remedy}.`;
    return [{ port, found: false, passed: false, sentence }];
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
