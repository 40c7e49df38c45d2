import { framedSelfTest } from "@coalmine/instrument";
import { type LineConfig, linkName } from "@coalmine/instrument/lines";
import { lineSelfTest } from "@coalmine/instrument/self-test/line-self-test";
import type { Clock, Links } from "@coalmine/ports";
import type { PortResult } from "./journal.ts";
import { CommissioningRefused, type RefusalReason } from "./refusal.ts";

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
    ...ports.map(async ({ id }) => [
      { port: id, ...(await framedSelfTest({ links, clock, target: { kind: "serial", id, baudRate } })) },
    ]),
    ...lines.map(async (line) =>
      (await lineSelfTest(line, { links, clock })).map((test) => ({ port: linkName(line.link), ...test })),
    ),
  ]);
  return results.flat();
}

/** Throws for the first thing that a person has to mend before this device may go into service. */
export function refuseUnhealthy(ports: readonly PortResult[]): void {
  const complaints = ports
    .filter(({ passed }) => !passed)
    .map(({ port, sentence }) => `${port}: ${sentence}`);
  if (complaints.length === 0) return;
  throw new UnhealthyInstruments(
    reasonOf(ports),
    ports,
    `${complaints.join(" ")} Then run this again: it goes on with the self-test.`,
  );
}

/** With what was found on every port, also on those that are well. */
export class UnhealthyInstruments extends CommissioningRefused {
  readonly ports: readonly PortResult[];

  constructor(reason: RefusalReason, ports: readonly PortResult[], sentence: string) {
    super(reason, sentence);
    this.ports = ports;
  }
}

function reasonOf(ports: readonly PortResult[]): RefusalReason {
  const causes = ports.flatMap((port) => (port.found ? [] : [port.cause.kind]));
  if (causes.some((cause) => cause === "busy" || cause === "denied")) return "port-taken";
  return causes.length > 0 ? "silent-instrument" : "unhealthy-instrument";
}
