import { Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { connect, isIPv6, type Socket } from "node:net";

/** What the probes send their bytes through: the machine's own sockets, or a simulated site's. */
export interface Wire {
  /** Addresses that the machine has for a name by itself, without asking anybody. */
  known(name: string): Promise<readonly string[]>;
  /** Whom to ask for names: `address`, or `address:port`. */
  dnsServers(): readonly string[];
  /** A socket that connects, or fails with the system's own code. */
  tcp(address: string, port: number): Socket;
  /** Where a datagram to this address and port has to go. */
  udp(address: string, port: number): { readonly address: string; readonly port: number };
}

/** Asks the system anew each time: DHCP changes whom to ask. */
export const machineWire: Wire = {
  known: async (name) => addressesIn(await readFile("/etc/hosts", "utf8").catch(() => ""), name),
  dnsServers: () => new Resolver().getServers(),
  tcp: (address, port) => connect({ host: address, port }),
  udp: (address, port) => ({ address, port }),
};

/** Of hosts(5): an address and its names a line. Those of version 4 first. */
export function addressesIn(hosts: string, name: string): string[] {
  return hosts
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim().split(/\s+/))
    .filter(([, ...names]) => names.includes(name))
    .map(([address = ""]) => address)
    .toSorted((a, b) => Number(isIPv6(a)) - Number(isIPv6(b)));
}
