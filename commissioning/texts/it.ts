import { minuteOf } from "./minute.ts";
import type { Texts } from "./texts.ts";

export const it: Texts = {
  language: "Italiano",
  network: {
    connect: {
      "no-adapter": ({ adapter }) => ({
        what: `Non c'è nessuna scheda di rete ${adapter}.`,
        todo: "Collegarla, o sceglierne un'altra.",
      }),
      unplugged: ({ adapter }) => ({
        what: `Nessun cavo è collegato a ${adapter}, o la sua radio è spenta.`,
        todo: "Collegare il cavo da entrambi i lati, o accendere il Wi-Fi, e riprovare.",
      }),
      "network-not-found": ({ ssid }) => ({
        what: `La rete Wi-Fi «${ssid}» qui non si trova.`,
        todo: "Cercare di nuovo; se non mostra il suo nome, indicarla come nascosta; avvicinarsi a un punto di accesso.",
      }),
      "wrong-passphrase": ({ ssid }) => ({
        what: `La rete Wi-Fi «${ssid}» rifiuta la password.`,
        todo: "Scriverla di nuovo; contano maiuscole e spazi.",
      }),
      "wrong-identity": ({ identity }) => ({
        what: `La rete non fa entrare «${identity}» con 802.1X.`,
        todo: "Controllare utente e password o certificato; chiedere all'informatica se conosce questa identità e se questa presa o rete usa 802.1X.",
      }),
      "no-dhcp": ({ adapter }) => ({
        what: `Nessuno dà un indirizzo a ${adapter} con DHCP.`,
        todo: "Chiedere all'informatica di ammettere questo indirizzo MAC, o un indirizzo fisso, e inserirlo.",
      }),
      "timed-out": ({ waitedSeconds }) => ({
        what: `La rete non ha fatto entrare questo dispositivo in ${waitedSeconds} s.`,
        todo: "Riprovare; avvicinarsi a un punto di accesso; chiedere all'informatica se questo indirizzo MAC è ammesso.",
      }),
      "not-connected": ({ why }) => ({
        what: `La rete non è collegata: ${why}.`,
        todo: "Riprovare, o per un'altra via; mostrare questa frase all'informatica.",
      }),
    },
    link: {
      connected: ({ lease: { addresses, gateway, dns } }, { adapter }) => ({
        what: `${adapter} ha ${addresses.join(", ")}, gateway ${gateway ?? "nessuno"}, server dei nomi ${dns.join(", ") || "nessuno"}.`,
      }),
      connecting: (_, { adapter }) => ({
        what: `${adapter} si sta ancora collegando.`,
        todo: "Aspettare mezzo minuto e controllare di nuovo.",
      }),
      disconnected: (_, { adapter }) => ({
        what: `${adapter} non è collegata.`,
        todo: "Scegliere una rete.",
      }),
      unplugged: (_, { adapter }) => ({
        what: `Nessun cavo è collegato a ${adapter}, o la sua radio è spenta.`,
        todo: "Collegare il cavo da entrambi i lati, o accendere il Wi-Fi.",
      }),
      absent: (_, { adapter }) => ({
        what: `Non c'è nessuna scheda di rete ${adapter}.`,
        todo: "Collegarla, o sceglierne un'altra.",
      }),
    },
    gateway: {
      there: () => ({ what: "Il gateway c'è." }),
      absent: ({ address }) => ({
        what: `Il gateway ${address} non risponde.`,
        todo: "Controllare l'indirizzo fisso e il suo gateway; altrimenti chiedere all'informatica se questa è la rete giusta.",
      }),
      none: () => ({
        what: "La rete non indica nessun gateway: niente ne esce.",
        todo: "Inserire il gateway di un indirizzo fisso; altrimenti chiederne uno con DHCP all'informatica.",
      }),
    },
    unresolved: {
      "no-dns": ({ name, servers }) => ({
        what: `Nessun server dei nomi risponde per ${name} (interrogati: ${servers.join(", ") || "non ce n'è nessuno"}).`,
        todo: "Chiedere all'informatica il server dei nomi giusto, e di aprire 53/udp e 53/tcp verso di esso.",
      }),
      "unknown-name": ({ name, servers }) => ({
        what: `Il server dei nomi ${servers.join(", ")} non conosce ${name}.`,
        todo: "Chiedere all'informatica di far risolvere questo nome; controllare il nome.",
      }),
    },
    resolved: ({ addresses }) => ({ what: addresses.join(", ") }),
    noWay: {
      "no-route": ({ address }) => ({
        what: `Nessuna via porta a ${address}.`,
        todo: "Controllare il gateway; chiedere all'informatica un'uscita verso internet per questa rete.",
      }),
      refused: ({ address, port }) => ({
        what: `${address} rifiuta connessioni alla porta ${port}: nessuno vi ascolta, o lo dice un firewall.`,
        todo: `Chiedere all'informatica di aprire la porta TCP ${port} verso questo host.`,
      }),
      silent: ({ address, port, waitedMs }) => ({
        what: `Niente risponde a ${address}, porta ${port}, entro ${waitedMs / 1000} s: un firewall lo scarta.`,
        todo: `Chiedere all'informatica di aprire la porta TCP ${port} verso questo host.`,
      }),
      "proxy-unreachable": ({ proxy }, { inner }) => ({
        what: `Il proxy ${proxy} non è raggiunto. ${inner}`,
        todo: "Controllare nome e porta del proxy; chiederli all'informatica.",
      }),
      "proxy-refuses": ({ proxy, status }) => ({
        what: `Il proxy ${proxy} rifiuta con ${status}.`,
        todo:
          status === 407
            ? "Vuole utente e password: inserire quelli dati dall'informatica."
            : status === 403
              ? "Chiedere all'informatica di permettere questo host e questa porta nel proxy."
              : "Chiedere all'informatica se il proxy può raggiungere questo host e questa porta.",
      }),
      broken: ({ why }) => ({
        what: `La connessione si è interrotta: ${why}.`,
        todo: "Controllare di nuovo; se rimane, mostrare questa frase all'informatica.",
      }),
    },
    host: {
      trusted: ({ tookMs, chain: [leaf] }) => ({
        what: `Raggiunto in ${Math.round(tookMs)} ms; il certificato è quello giusto, di ${leaf?.issuer ?? "?"}.`,
      }),
      intercepted: ({ issuer }) => ({
        what: `Qualcuno lungo la via apre TLS: il certificato è firmato da «${issuer}».`,
        todo: "Chiedere all'informatica un'eccezione all'ispezione TLS per questo nome: il dispositivo mostra un certificato proprio, che non sopravvive all'ispezione.",
      }),
      "wrong-name": ({ names }) => ({
        what: `Risponde un altro host: il suo certificato è per ${names.join(", ") || "nessuno"}.`,
        todo: "Controllare il nome dell'endpoint; chiedere all'informatica se questo nome è deviato.",
      }),
      "not-yet-valid": ({ from, now }) => ({
        what: `Il certificato vale dal ${minuteOf(from)}, e l'orologio di questo dispositivo dice ${minuteOf(now)} (UTC).`,
        todo: "Regolare l'orologio e controllare di nuovo.",
      }),
      expired: ({ until, now }) => ({
        what: `Il certificato valeva fino al ${minuteOf(until)}, e l'orologio di questo dispositivo dice ${minuteOf(now)} (UTC).`,
        todo: "Confrontare l'orologio del dispositivo con un altro; se è giusto, avvisare chi gestisce questo host.",
      }),
      "no-tls": ({ why }) => ({
        what: `La porta è aperta, ma TLS non si stabilisce: ${why}.`,
        todo: "Chiedere all'informatica se qualcosa lungo la via termina TLS, e un'eccezione per questo nome.",
      }),
    },
    portal: {
      none: () => ({ what: "Nessuna pagina di accesso è d'ostacolo." }),
      captive: ({ page }) => ({
        what: `Questa rete vuole che prima qualcuno acceda da una pagina${page === undefined ? "" : `: ${page}`}.`,
        todo: "Un dispositivo non può farlo: chiedere all'informatica di ammettere questo indirizzo MAC senza accesso, o un'altra rete.",
      }),
      unknown: ({ why }) => ({
        what: `Non si sa se una pagina di accesso sia d'ostacolo: HTTP senza TLS è chiuso (${why}), e non è un guasto.`,
      }),
    },
    time: {
      answered: ({ aheadMs, roundTripMs }) => ({
        what: `L'orologio è giusto a meno di ${Math.max(1, Math.ceil((Math.abs(aheadMs) + roundTripMs / 2) / 1000))} s.`,
      }),
      off: ({ minutes, isAhead, server }) => ({
        what: `L'orologio è ${minutes} min ${isAhead ? "avanti" : "indietro"} rispetto a ${server}.`,
        todo: "Regolare l'orologio; se succede di nuovo, cambiarne la batteria.",
      }),
      unsynchronised: ({ server }) => ({
        what: `${server} non sa l'ora.`,
        todo: "Chiedere all'informatica un altro server dell'ora.",
      }),
      "no-time": ({ server, waitedMs }) => ({
        what: `${server} non dice l'ora entro ${waitedMs / 1000} s.`,
        todo: "Chiedere all'informatica di aprire 123/udp, o il server dell'ora della casa.",
      }),
    },
    titles: {
      link: "Collegamento",
      gateway: "Gateway",
      portal: "Pagina di accesso",
      name: (name) => `Nome ${name}`,
      time: (server) => `Ora da ${server}`,
      host: ({ host, port, protocol }) => `${host}:${port} (${protocol.toUpperCase()})`,
    },
    request: {
      subject: (serial, site) => `Accesso alla rete per il dispositivo di misura ${serial}, ${site}`,
      intro:
        "Questo dispositivo invia misure ad AWS e ne riceve il suo software. Apre solo connessioni verso l'esterno; niente si collega a esso.",
      mac: (adapter, mac) => `Indirizzo MAC (${adapter}): ${mac}`,
      hosts: "Per favore, permettete che raggiunga questi host:",
      purposes: {
        measurements: "misure e comandi",
        deployments: "quale software eseguire",
        credentials: "chiavi di accesso di breve durata",
        artifacts: "pacchetti software e misure conservate",
        logs: "registri per l'assistenza",
        time: "l'ora",
      },
      byProxy: (proxy) => `Usa il proxy ${proxy}; lì va permesso CONNECT a questi host e porte.`,
      bypass: "Per favore, escludete questi nomi dall'ispezione TLS:",
      mutual:
        "Il dispositivo si identifica con un certificato proprio (TLS reciproco). Dove TLS è aperto lungo la via, la connessione fallisce.",
      seen: "Che cosa ora non funziona:",
      nothing: "Ora funziona tutto.",
      thanks: "Grazie.",
    },
  },
};
