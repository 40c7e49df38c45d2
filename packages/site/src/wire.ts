import { Resolver } from "node:dns/promises";
import { connect, type Socket } from "node:net";

/** What the probes send their bytes through: the machine's own sockets, or a simulated site's. */
export interface Wire {
  /** Whom to ask for names: `address`, or `address:port`. */
  dnsServers(): readonly string[];
  /** A socket that connects, or fails with the system's own code. */
  tcp(address: string, port: number): Socket;
  /** Where a datagram to this address and port has to go. */
  udp(address: string, port: number): { readonly address: string; readonly port: number };
}

/** Asks the system anew each time: DHCP changes whom to ask. */
export const machineWire: Wire = {
  dnsServers: () => new Resolver().getServers(),
  tcp: (address, port) => connect({ host: address, port }),
  udp: (address, port) => ({ address, port }),
};
