import { minuteOf } from "./minute.ts";
import type { Texts } from "./texts.ts";

export const en: Texts = {
  language: "English",
  network: {
    connect: {
      "no-adapter": ({ adapter }) => ({
        what: `There is no network adapter ${adapter}.`,
        todo: "Plug it in, or choose another one.",
      }),
      unplugged: ({ adapter }) => ({
        what: `No cable is connected to ${adapter}, or its radio is off.`,
        todo: "Plug the cable in at both ends, or switch Wi-Fi on, and try again.",
      }),
      "network-not-found": ({ ssid }) => ({
        what: `The Wi-Fi network "${ssid}" is not found here.`,
        todo: "Scan again; if it does not tell its name, mark it as hidden; go nearer to an access point.",
      }),
      "wrong-passphrase": ({ ssid }) => ({
        what: `The Wi-Fi network "${ssid}" refuses the passphrase.`,
        todo: "Type it again; capitals and spaces count.",
      }),
      "wrong-identity": ({ identity }) => ({
        what: `The network does not let "${identity}" in by 802.1X.`,
        todo: "Check user and password or certificate; ask IT whether this identity is known, and whether this port or network uses 802.1X.",
      }),
      "no-dhcp": ({ adapter }) => ({
        what: `Nobody gives ${adapter} an address by DHCP.`,
        todo: "Ask IT to let this MAC address in, or for a static address, and enter it.",
      }),
      "timed-out": ({ waitedSeconds }) => ({
        what: `The network did not let this device in within ${waitedSeconds} s.`,
        todo: "Try again; go nearer to an access point; ask IT whether this MAC address is let in.",
      }),
      "not-connected": ({ why }) => ({
        what: `The network is not connected: ${why}.`,
        todo: "Try again, or another way in; show this sentence to IT.",
      }),
    },
    link: {
      connected: ({ lease: { addresses, gateway, dns } }, { adapter }) => ({
        what: `${adapter} has ${addresses.join(", ")}, gateway ${gateway ?? "none"}, name servers ${dns.join(", ") || "none"}.`,
      }),
      connecting: (_, { adapter }) => ({
        what: `${adapter} is still connecting.`,
        todo: "Wait half a minute and check again.",
      }),
      disconnected: (_, { adapter }) => ({
        what: `${adapter} is not connected.`,
        todo: "Choose a network.",
      }),
      unplugged: (_, { adapter }) => ({
        what: `No cable is connected to ${adapter}, or its radio is off.`,
        todo: "Plug the cable in at both ends, or switch Wi-Fi on.",
      }),
      absent: (_, { adapter }) => ({
        what: `There is no network adapter ${adapter}.`,
        todo: "Plug it in, or choose another one.",
      }),
    },
    gateway: {
      there: () => ({ what: "The gateway is there." }),
      absent: ({ address }) => ({
        what: `The gateway ${address} does not answer.`,
        todo: "Check a static address and its gateway; otherwise ask IT whether this is the right network.",
      }),
      none: () => ({
        what: "The network names no gateway: nothing leads out of it.",
        todo: "Enter the gateway of a static address; otherwise ask IT for one by DHCP.",
      }),
    },
    unresolved: {
      "no-dns": ({ name, servers }) => ({
        what: `No name server answers for ${name} (asked: ${servers.join(", ") || "none is set"}).`,
        todo: "Ask IT for the right name server, and to open 53/udp and 53/tcp to it.",
      }),
      "unknown-name": ({ name, servers }) => ({
        what: `The name server ${servers.join(", ")} does not know ${name}.`,
        todo: "Ask IT to let this name be resolved; check the name.",
      }),
    },
    resolved: ({ addresses }) => ({ what: addresses.join(", ") }),
    noWay: {
      "no-route": ({ address }) => ({
        what: `No way leads to ${address}.`,
        todo: "Check the gateway; ask IT to route this network to the internet.",
      }),
      refused: ({ address, port }) => ({
        what: `${address} refuses connections to port ${port}: nobody listens there, or a firewall says so.`,
        todo: `Ask IT to open TCP port ${port} to this host.`,
      }),
      silent: ({ address, port, waitedMs }) => ({
        what: `Nothing answers at ${address} on port ${port} within ${waitedMs / 1000} s: a firewall drops it.`,
        todo: `Ask IT to open TCP port ${port} to this host.`,
      }),
      "proxy-unreachable": ({ proxy }, { inner }) => ({
        what: `The proxy ${proxy} is not reached. ${inner}`,
        todo: "Check the proxy's name and port; ask IT for them.",
      }),
      "proxy-refuses": ({ proxy, status }) => ({
        what: `The proxy ${proxy} refuses with ${status}.`,
        todo:
          status === 407
            ? "It wants a user and a password: enter those that IT gave."
            : status === 403
              ? "Ask IT to allow this host and port in the proxy."
              : "Ask IT whether the proxy may reach this host and port.",
      }),
      broken: ({ why }) => ({
        what: `The connection broke: ${why}.`,
        todo: "Check again; if it stays, show this sentence to IT.",
      }),
    },
    host: {
      trusted: ({ tookMs, chain: [leaf] }) => ({
        what: `Reached in ${Math.round(tookMs)} ms; the certificate is the right one, by ${leaf?.issuer ?? "?"}.`,
      }),
      intercepted: ({ issuer }) => ({
        what: `Somebody on the way opens TLS: the certificate is signed by "${issuer}".`,
        todo: "Ask IT for a bypass of TLS inspection for this name: the device shows a certificate of its own, which does not survive inspection.",
      }),
      "wrong-name": ({ names }) => ({
        what: `Another host answers: its certificate is for ${names.join(", ") || "nobody"}.`,
        todo: "Check the endpoint's name; ask IT whether this name is led elsewhere.",
      }),
      "not-yet-valid": ({ from, now }) => ({
        what: `The certificate is valid from ${minuteOf(from)}, and this device's clock says ${minuteOf(now)} (UTC).`,
        todo: "Set the clock, and check again.",
      }),
      expired: ({ until, now }) => ({
        what: `The certificate was valid until ${minuteOf(until)}, and this device's clock says ${minuteOf(now)} (UTC).`,
        todo: "Compare the device's clock with a watch; if it is right, tell whoever runs this host.",
      }),
      "no-tls": ({ why }) => ({
        what: `The port is open, and TLS does not come about: ${why}.`,
        todo: "Ask IT whether something on the way ends TLS, and for a bypass for this name.",
      }),
    },
    portal: {
      none: () => ({ what: "No sign-in page is in the way." }),
      captive: ({ page }) => ({
        what: `This network wants somebody to sign in on a page first${page === undefined ? "" : `: ${page}`}.`,
        todo: "A device cannot sign in: ask IT to let this MAC address in without, or for another network.",
      }),
      unknown: ({ why }) => ({
        what: `Whether a sign-in page is in the way is not known: plain HTTP is closed (${why}), which is no fault.`,
      }),
    },
    time: {
      answered: ({ aheadMs, roundTripMs }) => ({
        what: `The clock is right to ${Math.max(1, Math.ceil((Math.abs(aheadMs) + roundTripMs / 2) / 1000))} s.`,
      }),
      off: ({ minutes, isAhead, server }) => ({
        what: `The clock is ${minutes} min ${isAhead ? "ahead of" : "behind"} ${server}.`,
        todo: "Set the clock; if it comes back, replace its battery.",
      }),
      unsynchronised: ({ server }) => ({
        what: `${server} does not know the time itself.`,
        todo: "Ask IT for another time server.",
      }),
      "no-time": ({ server, waitedMs }) => ({
        what: `${server} does not tell the time within ${waitedMs / 1000} s.`,
        todo: "Ask IT to open 123/udp, or for the time server of the house.",
      }),
    },
    titles: {
      link: "Link",
      gateway: "Gateway",
      portal: "Sign-in page",
      name: (name) => `Name ${name}`,
      time: (server) => `Time from ${server}`,
      host: ({ host, port, protocol }) => `${host}:${port} (${protocol.toUpperCase()})`,
    },
    request: {
      subject: (serial, site) => `Network access for the measuring device ${serial}, ${site}`,
      intro:
        "This device sends measurements to AWS and gets its software from there. It only connects outwards; nothing connects to it.",
      mac: (adapter, mac) => `MAC address (${adapter}): ${mac}`,
      hosts: "Please let it reach these hosts:",
      purposes: {
        measurements: "measurements and commands",
        deployments: "which software to run",
        credentials: "short-lived access keys",
        artifacts: "software packages and stored measurements",
        logs: "logs for support",
        time: "the time",
      },
      byProxy: (proxy) =>
        `It uses the proxy ${proxy}; CONNECT to these hosts and ports has to be allowed there.`,
      bypass: "Please exempt these names from TLS inspection (ask for a bypass of TLS inspection for them):",
      mutual:
        "The device proves who it is with a certificate of its own (mutual TLS). Where TLS is opened on the way, the connection fails.",
      seen: "What does not work at the moment:",
      nothing: "At the moment everything works.",
      thanks: "Thank you.",
    },
  },
};
