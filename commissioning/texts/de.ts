import { minuteOf } from "./minute.ts";
import type { Texts } from "./texts.ts";

export const de: Texts = {
  language: "Deutsch",
  network: {
    connect: {
      "no-adapter": ({ adapter }) => ({
        what: `Es gibt keinen Netzwerkadapter ${adapter}.`,
        todo: "Stecken Sie ihn ein, oder wählen Sie einen anderen.",
      }),
      unplugged: ({ adapter }) => ({
        what: `An ${adapter} steckt kein Kabel, oder sein Funk ist aus.`,
        todo: "Stecken Sie das Kabel an beiden Enden ein, oder schalten Sie das WLAN ein, und versuchen Sie es noch einmal.",
      }),
      "network-not-found": ({ ssid }) => ({
        what: `Das WLAN „${ssid}“ ist hier nicht zu finden.`,
        todo: "Suchen Sie noch einmal; wenn es seinen Namen nicht zeigt, kreuzen Sie „verborgen“ an; gehen Sie näher an einen Zugangspunkt.",
      }),
      "wrong-passphrase": ({ ssid }) => ({
        what: `Das WLAN „${ssid}“ weist das Passwort ab.`,
        todo: "Geben Sie es noch einmal ein; Großbuchstaben und Leerzeichen zählen.",
      }),
      "wrong-identity": ({ identity }) => ({
        what: `Das Netz lässt „${identity}“ über 802.1X nicht hinein.`,
        todo: "Prüfen Sie Benutzer und Passwort oder Zertifikat; fragen Sie die IT, ob sie diesen Namen kennt und ob dieser Anschluss oder dieses Netz 802.1X benutzt.",
      }),
      "no-dhcp": ({ adapter }) => ({
        what: `Niemand gibt ${adapter} über DHCP eine Adresse.`,
        todo: "Bitten Sie die IT, diese MAC-Adresse zuzulassen, oder um eine feste Adresse, und tragen Sie sie ein.",
      }),
      "timed-out": ({ waitedSeconds }) => ({
        what: `Das Netz hat dieses Gerät in ${waitedSeconds} s nicht hineingelassen.`,
        todo: "Versuchen Sie es noch einmal; gehen Sie näher an einen Zugangspunkt; fragen Sie die IT, ob diese MAC-Adresse zugelassen ist.",
      }),
      "not-connected": ({ why }) => ({
        what: `Das Netz ist nicht verbunden: ${why}.`,
        todo: "Versuchen Sie es noch einmal oder auf einem anderen Weg; zeigen Sie der IT diesen Satz.",
      }),
    },
    link: {
      connected: ({ lease: { addresses, gateway, dns } }, { adapter }) => ({
        what: `${adapter} hat ${addresses.join(", ")}, Gateway ${gateway ?? "keines"}, Namensserver ${dns.join(", ") || "keine"}.`,
      }),
      connecting: (_, { adapter }) => ({
        what: `${adapter} verbindet sich noch.`,
        todo: "Warten Sie eine halbe Minute, und prüfen Sie noch einmal.",
      }),
      disconnected: (_, { adapter }) => ({
        what: `${adapter} ist nicht verbunden.`,
        todo: "Wählen Sie ein Netz.",
      }),
      unplugged: (_, { adapter }) => ({
        what: `An ${adapter} steckt kein Kabel, oder sein Funk ist aus.`,
        todo: "Stecken Sie das Kabel an beiden Enden ein, oder schalten Sie das WLAN ein.",
      }),
      absent: (_, { adapter }) => ({
        what: `Es gibt keinen Netzwerkadapter ${adapter}.`,
        todo: "Stecken Sie ihn ein, oder wählen Sie einen anderen.",
      }),
    },
    gateway: {
      there: () => ({ what: "Das Gateway ist da." }),
      absent: ({ address }) => ({
        what: `Das Gateway ${address} antwortet nicht.`,
        todo: "Prüfen Sie eine feste Adresse und ihr Gateway; sonst fragen Sie die IT, ob dies das richtige Netz ist.",
      }),
      none: () => ({
        what: "Das Netz nennt kein Gateway: Nichts führt hinaus.",
        todo: "Tragen Sie das Gateway einer festen Adresse ein; sonst bitten Sie die IT um eines über DHCP.",
      }),
    },
    unresolved: {
      "no-dns": ({ name, servers }) => ({
        what: `Kein Namensserver antwortet für ${name} (gefragt: ${servers.join(", ") || "keiner ist eingestellt"}).`,
        todo: "Fragen Sie die IT nach dem richtigen Namensserver, und bitten Sie sie, 53/udp und 53/tcp dorthin zu öffnen.",
      }),
      "unknown-name": ({ name, servers }) => ({
        what: `Der Namensserver ${servers.join(", ")} kennt ${name} nicht.`,
        todo: "Bitten Sie die IT, diesen Namen auflösen zu lassen; prüfen Sie den Namen.",
      }),
    },
    resolved: ({ addresses }) => ({ what: addresses.join(", ") }),
    noWay: {
      "no-route": ({ address }) => ({
        what: `Kein Weg führt zu ${address}.`,
        todo: "Prüfen Sie das Gateway; bitten Sie die IT, dieses Netz ins Internet zu leiten.",
      }),
      refused: ({ address, port }) => ({
        what: `${address} weist Verbindungen zum Port ${port} ab: Niemand hört dort, oder eine Firewall sagt das.`,
        todo: `Bitten Sie die IT, den TCP-Port ${port} zu diesem Host zu öffnen.`,
      }),
      silent: ({ address, port, waitedMs }) => ({
        what: `Bei ${address} antwortet am Port ${port} in ${waitedMs / 1000} s nichts: Eine Firewall verwirft es.`,
        todo: `Bitten Sie die IT, den TCP-Port ${port} zu diesem Host zu öffnen.`,
      }),
      "proxy-unreachable": ({ proxy }, { inner }) => ({
        what: `Der Proxy ${proxy} ist nicht zu erreichen. ${inner}`,
        todo: "Prüfen Sie Namen und Port des Proxys; fragen Sie die IT danach.",
      }),
      "proxy-refuses": ({ proxy, status }) => ({
        what: `Der Proxy ${proxy} weist mit ${status} ab.`,
        todo:
          status === 407
            ? "Er will Benutzer und Passwort: Tragen Sie ein, was die IT Ihnen gegeben hat."
            : status === 403
              ? "Bitten Sie die IT, diesen Host und Port im Proxy zu erlauben."
              : "Fragen Sie die IT, ob der Proxy diesen Host und Port erreichen darf.",
      }),
      broken: ({ why }) => ({
        what: `Die Verbindung brach ab: ${why}.`,
        todo: "Prüfen Sie noch einmal; wenn es bleibt, zeigen Sie der IT diesen Satz.",
      }),
    },
    host: {
      trusted: ({ tookMs, chain: [leaf] }) => ({
        what: `Erreicht in ${Math.round(tookMs)} ms; das Zertifikat ist das richtige, von ${leaf?.issuer ?? "?"}.`,
      }),
      intercepted: ({ issuer }) => ({
        what: `Unterwegs öffnet jemand TLS: Das Zertifikat ist von „${issuer}“ unterschrieben.`,
        todo: "Bitten Sie die IT um eine Ausnahme von der TLS-Prüfung für diesen Namen: Das Gerät zeigt ein eigenes Zertifikat, und das übersteht die Prüfung nicht.",
      }),
      "wrong-name": ({ names }) => ({
        what: `Ein anderer Host antwortet: Sein Zertifikat gilt für ${names.join(", ") || "niemanden"}.`,
        todo: "Prüfen Sie den Namen des Endpunkts; fragen Sie die IT, ob dieser Name anderswohin geleitet wird.",
      }),
      "not-yet-valid": ({ from, now }) => ({
        what: `Das Zertifikat gilt ab ${minuteOf(from)}, und die Uhr dieses Geräts sagt ${minuteOf(now)} (UTC).`,
        todo: "Stellen Sie die Uhr, und prüfen Sie noch einmal.",
      }),
      expired: ({ until, now }) => ({
        what: `Das Zertifikat galt bis ${minuteOf(until)}, und die Uhr dieses Geräts sagt ${minuteOf(now)} (UTC).`,
        todo: "Vergleichen Sie die Uhr des Geräts mit einer anderen; wenn sie stimmt, sagen Sie es denen, die diesen Host betreiben.",
      }),
      "no-tls": ({ why }) => ({
        what: `Der Port ist offen, und TLS kommt nicht zustande: ${why}.`,
        todo: "Fragen Sie die IT, ob unterwegs etwas TLS beendet, und bitten Sie um eine Ausnahme für diesen Namen.",
      }),
    },
    portal: {
      none: () => ({ what: "Keine Anmeldeseite ist im Weg." }),
      captive: ({ page }) => ({
        what: `Dieses Netz will, dass sich erst jemand auf einer Seite anmeldet${page === undefined ? "" : `: ${page}`}.`,
        todo: "Ein Gerät kann sich nicht anmelden: Bitten Sie die IT, diese MAC-Adresse ohne Anmeldung zuzulassen, oder um ein anderes Netz.",
      }),
      unknown: ({ why }) => ({
        what: `Ob eine Anmeldeseite im Weg ist, ist nicht bekannt: HTTP ohne TLS ist zu (${why}), und das ist kein Fehler.`,
      }),
    },
    time: {
      answered: ({ aheadMs, roundTripMs }) => ({
        what: `Die Uhr stimmt auf ${Math.max(1, Math.ceil((Math.abs(aheadMs) + roundTripMs / 2) / 1000))} s.`,
      }),
      off: ({ minutes, isAhead, server }) => ({
        what: `Die Uhr geht gegenüber ${server} ${minutes} min ${isAhead ? "vor" : "nach"}.`,
        todo: "Stellen Sie die Uhr; wenn es wiederkommt, tauschen Sie ihre Batterie.",
      }),
      unsynchronised: ({ server }) => ({
        what: `${server} weiß die Zeit selbst nicht.`,
        todo: "Bitten Sie die IT um einen anderen Zeitserver.",
      }),
      "no-time": ({ server, waitedMs }) => ({
        what: `${server} sagt in ${waitedMs / 1000} s keine Zeit.`,
        todo: "Bitten Sie die IT, 123/udp zu öffnen, oder um den Zeitserver des Hauses.",
      }),
    },
    titles: {
      link: "Verbindung",
      gateway: "Gateway",
      portal: "Anmeldeseite",
      name: (name) => `Name ${name}`,
      time: (server) => `Zeit von ${server}`,
      host: ({ host, port, protocol }) => `${host}:${port} (${protocol.toUpperCase()})`,
    },
    request: {
      subject: (serial, site) => `Netzzugang für das Messgerät ${serial}, ${site}`,
      intro:
        "Dieses Gerät sendet Messwerte an AWS und bekommt von dort seine Software. Es baut nur Verbindungen nach außen auf; nichts verbindet sich zu ihm.",
      mac: (adapter, mac) => `MAC-Adresse (${adapter}): ${mac}`,
      hosts: "Bitte lassen Sie es diese Hosts erreichen:",
      purposes: {
        measurements: "Messwerte und Befehle",
        deployments: "welche Software laufen soll",
        credentials: "kurzlebige Zugangsschlüssel",
        artifacts: "Softwarepakete und gespeicherte Messwerte",
        logs: "Protokolle für den Support",
        time: "die Zeit",
      },
      byProxy: (proxy) =>
        `Es benutzt den Proxy ${proxy}; dort muss CONNECT zu diesen Hosts und Ports erlaubt sein.`,
      bypass: "Bitte nehmen Sie diese Namen von der TLS-Prüfung aus:",
      mutual:
        "Das Gerät weist sich mit einem eigenen Zertifikat aus (mutual TLS). Wo TLS unterwegs geöffnet wird, scheitert die Verbindung.",
      seen: "Was zurzeit nicht geht:",
      nothing: "Zurzeit geht alles.",
      thanks: "Vielen Dank.",
    },
  },
};
