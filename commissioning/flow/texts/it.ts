import type { Texts } from "./texts.ts";

export const it: Texts = {
  frame: {
    program: "Messa in servizio di questo apparecchio",
    steps: "Passi",
    copy: "Copia",
    copied: "Copiato",
    lostTouch:
      "L’apparecchio non risponde. Quello che si vede può essere vecchio; la pagina riprova da sola.",
    optional: "(può restare vuoto)",
    toneWords: { good: "Bene.", bad: "Alt.", warn: "Attenzione.", busy: "In corso.", info: "" },
  },
  steps: {
    site: "Lingua e luogo",
    clock: "Orologio",
    network: "Rete",
    checks: "Verifica della rete",
    "self-test": "Cablaggio e autotest",
    calibration: "Taratura",
    identity: "Identità",
    label: "Etichetta",
    report: "Rapporto",
  },
  states: { open: "da fare", done: "fatto", skipped: "tralasciato", later: "si completa da solo" },
  refusals: {
    settings: "Le impostazioni dell’apparecchio non vanno. Correggile e prosegui qui.",
    answers: "Manca qualcosa, o non è valido.",
    "clock-not-set": "L’orologio non è mai stato regolato. Regolalo e prosegui.",
    "clock-off": "L’orologio è sbagliato. Regolalo e prosegui.",
    network: "Non c’è collegamento a questa rete.",
    "claim-refused": "Il codice è rifiutato. Controllalo o chiedine un altro.",
    "claim-expired": "Il codice è scaduto. Chiedine un altro.",
    unreachable:
      "Il cloud non si raggiunge. La verifica della rete dice che cosa chiedere all’informatica del luogo.",
    "wrong-authority":
      "Qualcosa fra questo apparecchio e il cloud risponde al suo posto. Chiedi all’informatica un’eccezione.",
    "file-modes": "Altri potrebbero leggere un file segreto. Chiudilo come indicato e prosegui.",
    "no-serial-port": "Nessuno strumento è collegato.",
    "silent-instrument": "Uno strumento non risponde.",
    "unhealthy-instrument": "Uno strumento non sta bene.",
    "port-taken": "Un altro programma occupa la porta.",
    "disk-full": "Il disco è pieno. Libera spazio e prosegui: quello che è fatto resta.",
  },
  busy: "Qualcosa è in corso: aspetta che finisca.",
  moved: (step) => `La pagina era indietro: l’apparecchio ora è a «${step}».`,
  notYet: (step) => `Prima viene «${step}».`,
  noSuchButton: (action) => `«${action}» non c’è in questa schermata.`,
  site: {
    welcome:
      "Choose a language. / Elija un idioma. / Escolha um idioma. / Scegli una lingua. / Wählen Sie eine Sprache.",
    serial: "Numero di serie",
    fields: { site: "Sede", room: "Stanza", asset: "Numero d’inventario", technician: "Il tuo nome" },
    hints: {
      site: "Come la chiama la tua organizzazione, senza spazi, per esempio santa-maria-reparto-3",
      room: "Dove si trova nell’edificio",
      asset: "Del vostro inventario",
      technician: "Compare nel rapporto",
    },
    keep: "Prosegui",
  },
  clock: {
    device: "Orologio dell’apparecchio (UTC)",
    neverSet:
      "Questo orologio non è mai stato regolato: l’apparecchio è stato a lungo senza corrente, o la sua pila è scarica.",
    agrees: (seconds) => `Concorda con il tuo, entro ${Math.abs(seconds)} s.`,
    differs: (seconds) =>
      `È ${Math.abs(seconds)} s ${seconds > 0 ? "avanti" : "indietro"} rispetto al tuo. Quale è giusto?`,
    check: "Confronta con questo telefono",
    set: "Regola da questo telefono",
    keep: "L’orologio dell’apparecchio è giusto",
    now: "L’ora di adesso, per esempio 2026-11-27T14:05Z",
    nowHint: "Di’ che ora è, per esempio 2026-11-27T14:05Z.",
    notSettable: (why) =>
      `Il sistema non lascia regolare il suo orologio (${why}): esegui questo programma come root.`,
  },
  network: {
    adapters: "Schede di rete",
    mac: "Indirizzi hardware, per l’elenco degli apparecchi ammessi nell’edificio",
    noAdapter: "Questo apparecchio non ha alcuna scheda di rete utilizzabile.",
    states: {
      absent: "non c’è più",
      unplugged: "senza cavo, o la radio è spenta",
      disconnected: "non collegata",
      connecting: "si sta collegando",
    },
    connected: ({ addresses, gateway, dns }) =>
      `collegata come ${addresses.join(", ")}, gateway ${gateway ?? "nessuno"}, DNS ${dns.join(", ") || "nessuno"}`,
    scan: "Scegli una rete Wi-Fi",
    scanAgain: "Cerca di nuovo",
    seen: "Scegli una rete",
    nothingSeen: (hidden) =>
      `Qui nessuna rete dice il suo nome${hidden > 0 ? `; ${hidden} lo nascondono` : ""}. Sposta l’apparecchio o l’antenna, o indica una rete nascosta.`,
    hidden: "Un’altra, per nome",
    pick: "Prosegui con questa",
    join: "Collega",
    cable: (adapter) => `Con il cavo (${adapter})`,
    static: (adapter) => `Con indirizzo fisso (${adapter})`,
    useStatic: "Usa questo indirizzo",
    keep: "Prosegui",
    without: "Finisci senza rete",
    back: "Indietro",
    ssid: "Rete",
    security: "Protezione",
    securities: {
      open: "nessuna",
      "wpa2-psk": "WPA2 con password",
      sae: "WPA3 con password",
      "802.1x": "802.1X con utente e password",
      other: "superata (WEP)",
    },
    otherSecurity: (ssid) => `«${ssid}» è protetta in un modo non più sicuro: chiedi un’altra rete.`,
    identity: "Utente",
    passphrase: "Password",
    address: "Indirizzo con prefisso",
    gateway: "Gateway",
    dns: "Server DNS",
    failures: {
      "no-adapter": (adapter) => `Non c’è più alcuna scheda ${adapter}: ricollegala.`,
      unplugged: (adapter) =>
        `Non c’è cavo in ${adapter}, o l’altro capo è spento: controlla i due connettori.`,
      "network-not-found": (ssid) =>
        `«${ssid}» non è a portata: controlla il nome, o sposta l’apparecchio o l’antenna.`,
      "wrong-passphrase": (ssid) => `«${ssid}» rifiuta la password: scrivila di nuovo; le maiuscole contano.`,
      "wrong-identity": (identity) =>
        `La rete rifiuta «${identity}»: controlla utente e password con l’informatica del luogo; il conto può essere bloccato, o serve un altro tipo di accesso.`,
      "no-dhcp": (adapter) =>
        `${adapter} è collegata ma non riceve un indirizzo: chiedi all’informatica di ammettere questo indirizzo hardware, o un indirizzo fisso.`,
      "timed-out": (seconds) =>
        `Nessun collegamento entro ${seconds} s: riprova più vicino al punto d’accesso.`,
      "not-connected": (why) => `Il sistema dice: ${why}`,
    },
  },
  door: {
    title: "Messa in servizio di questo apparecchio",
    ask: "Il codice sull’etichetta dell’apparecchio",
    open: "Prosegui",
    wrong: "Questo non è il codice dell’apparecchio. Sta sulla sua etichetta.",
    shut: (seconds) => `Troppi codici sbagliati: riprova fra ${seconds} s.`,
  },
};
