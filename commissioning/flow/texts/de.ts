import type { Texts } from "./texts.ts";

export const de: Texts = {
  frame: {
    program: "Gerät in Betrieb nehmen",
    steps: "Schritte",
    copy: "Kopieren",
    copied: "Kopiert",
    lostTouch:
      "Das Gerät antwortet nicht. Was hier steht, kann veraltet sein; die Seite versucht es von selbst wieder.",
    optional: "(darf leer bleiben)",
    toneWords: { good: "Gut.", bad: "Halt.", warn: "Achtung.", busy: "Läuft.", info: "" },
  },
  steps: {
    site: "Sprache und Ort",
    clock: "Uhr",
    network: "Netz",
    checks: "Netzprüfung",
    "self-test": "Verkabelung und Selbsttest",
    calibration: "Kalibrierung",
    identity: "Identität",
    label: "Etikett",
    report: "Bericht",
  },
  states: { open: "offen", done: "erledigt", skipped: "ausgelassen", later: "vollendet sich von selbst" },
  refusals: {
    settings: "Die Einstellungen des Geräts stimmen nicht. Berichtigen Sie sie, dann geht es hier weiter.",
    answers: "Es fehlt etwas, oder es passt nicht.",
    "clock-not-set": "Die Uhr wurde nie gestellt. Stellen Sie sie, dann geht es weiter.",
    "clock-off": "Die Uhr geht falsch. Stellen Sie sie, dann geht es weiter.",
    network: "Zu diesem Netz besteht keine Verbindung.",
    "claim-refused": "Der Code wird abgelehnt. Prüfen Sie ihn, oder lassen Sie sich einen neuen geben.",
    "claim-expired": "Der Code ist abgelaufen. Lassen Sie sich einen neuen geben.",
    unreachable:
      "Die Cloud ist nicht zu erreichen. Die Netzprüfung sagt, worum die IT vor Ort zu bitten ist.",
    "wrong-authority":
      "Etwas zwischen hier und der Cloud antwortet an ihrer Stelle. Bitten Sie die IT vor Ort um eine Ausnahme.",
    "file-modes":
      "Andere könnten eine geheime Datei lesen. Schließen Sie sie wie angegeben, dann geht es weiter.",
    "no-serial-port": "Es ist kein Messgerät angeschlossen.",
    "silent-instrument": "Ein Messgerät antwortet nicht.",
    "unhealthy-instrument": "Einem Messgerät fehlt etwas.",
    "port-taken": "Ein anderes Programm hält den Anschluss besetzt.",
    "disk-full": "Der Speicher ist voll. Schaffen Sie Platz, dann geht es weiter: Getanes bleibt.",
  },
  busy: "Es läuft noch etwas: warten Sie, bis es fertig ist.",
  moved: (step) => `Die Seite hing zurück: das Gerät ist jetzt bei „${step}“.`,
  notYet: (step) => `Zuerst kommt „${step}“.`,
  noSuchButton: (action) => `„${action}“ gibt es auf dieser Seite nicht.`,
  site: {
    welcome:
      "Choose a language. / Elija un idioma. / Escolha um idioma. / Scegli una lingua. / Wählen Sie eine Sprache.",
    serial: "Seriennummer",
    fields: { site: "Standort", room: "Raum", asset: "Inventarnummer", technician: "Ihr Name" },
    hints: {
      site: "Wie Ihr Haus ihn nennt, ohne Leerzeichen, etwa st-marien-station-3",
      room: "Wo im Gebäude man es findet",
      asset: "Aus Ihrem eigenen Bestand",
      technician: "Er steht im Bericht",
    },
    keep: "Weiter",
  },
  clock: {
    device: "Uhr des Geräts (UTC)",
    neverSet:
      "Diese Uhr wurde nie gestellt: das Gerät war lange ohne Strom, oder die Batterie seiner Uhr ist leer.",
    agrees: (seconds) => `Sie stimmt mit Ihrer überein, auf ${Math.abs(seconds)} s.`,
    differs: (seconds) =>
      `Sie geht gegenüber Ihrer ${Math.abs(seconds)} s ${seconds > 0 ? "vor" : "nach"}. Welche geht richtig?`,
    check: "Mit diesem Telefon vergleichen",
    set: "Nach diesem Telefon stellen",
    keep: "Die Uhr des Geräts geht richtig",
    now: "Die Zeit jetzt, etwa 2026-11-27T14:05Z",
    nowHint: "Geben Sie an, wie spät es ist, etwa 2026-11-27T14:05Z.",
    notSettable: (why) =>
      `Das System lässt seine Uhr nicht stellen (${why}): starten Sie dieses Programm als root.`,
  },
  network: {
    adapters: "Netzanschlüsse",
    mac: "Hardware-Adressen, für die Zulassungsliste des Hauses",
    noAdapter: "Dieses Gerät hat keinen brauchbaren Netzanschluss.",
    states: {
      absent: "ist nicht mehr da",
      unplugged: "kein Kabel, oder der Funk ist aus",
      disconnected: "nicht verbunden",
      connecting: "verbindet sich",
    },
    connected: ({ addresses, gateway, dns }) =>
      `verbunden als ${addresses.join(", ")}, Gateway ${gateway ?? "keines"}, DNS ${dns.join(", ") || "keines"}`,
    scan: "Ein WLAN wählen",
    scanAgain: "Noch einmal suchen",
    seen: "Wählen Sie ein Netz",
    nothingSeen: (hidden) =>
      `Kein Netz nennt hier seinen Namen${hidden > 0 ? `; ${hidden} verschweigen ihn` : ""}. Stellen Sie das Gerät oder die Antenne anders, oder nennen Sie ein verborgenes Netz.`,
    hidden: "Ein anderes, beim Namen",
    pick: "Mit diesem weiter",
    join: "Verbinden",
    cable: (adapter) => `Mit Kabel (${adapter})`,
    static: (adapter) => `Mit fester Adresse (${adapter})`,
    useStatic: "Diese Adresse nehmen",
    keep: "Weiter",
    without: "Ohne Netz fertig machen",
    back: "Zurück",
    ssid: "Netz",
    security: "Schutz",
    securities: {
      open: "keiner",
      "wpa2-psk": "WPA2 mit Passwort",
      sae: "WPA3 mit Passwort",
      "802.1x": "802.1X mit Benutzer und Passwort",
      other: "veraltet (WEP)",
    },
    otherSecurity: (ssid) =>
      `„${ssid}“ ist auf eine gebrochene Weise geschützt: bitten Sie um ein anderes Netz.`,
    identity: "Benutzer",
    passphrase: "Passwort",
    address: "Adresse mit Präfix",
    gateway: "Gateway",
    dns: "DNS-Server",
    failures: {
      "no-adapter": (adapter) => `Den Anschluss ${adapter} gibt es nicht mehr: stecken Sie ihn wieder ein.`,
      unplugged: (adapter) =>
        `In ${adapter} steckt kein Kabel, oder die Gegenseite ist aus: prüfen Sie beide Stecker.`,
      "network-not-found": (ssid) =>
        `„${ssid}“ ist nicht in Reichweite: prüfen Sie den Namen, oder stellen Sie Gerät oder Antenne anders.`,
      "wrong-passphrase": (ssid) =>
        `„${ssid}“ lehnt das Passwort ab: geben Sie es noch einmal ein; Großbuchstaben zählen.`,
      "wrong-identity": (identity) =>
        `Das Netz lehnt „${identity}“ ab: prüfen Sie Benutzer und Passwort mit der IT vor Ort; das Konto kann gesperrt sein, oder es wird ein anderes Verfahren verlangt.`,
      "no-dhcp": (adapter) =>
        `${adapter} ist verbunden, bekommt aber keine Adresse: bitten Sie die IT, diese Hardware-Adresse zuzulassen, oder um eine feste Adresse.`,
      "timed-out": (seconds) =>
        `Binnen ${seconds} s kam keine Verbindung zustande: versuchen Sie es näher am Zugangspunkt.`,
      "not-connected": (why) => `Das System sagt: ${why}`,
    },
  },
  door: {
    title: "Gerät in Betrieb nehmen",
    ask: "Der Code auf dem Etikett des Geräts",
    open: "Weiter",
    wrong: "Das ist nicht der Code des Geräts. Er steht auf seinem Etikett.",
    shut: (seconds) => `Zu viele falsche Codes: versuchen Sie es in ${seconds} s wieder.`,
  },
};
