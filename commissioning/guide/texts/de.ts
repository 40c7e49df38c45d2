import type { GuideTexts } from "./texts.ts";

export const de: GuideTexts = {
  title: "Ein Gerät in Betrieb nehmen",
  what: "Neun Schritte, etwa acht Minuten. Ein Telefon oder Laptop neben dem Gerät genügt; Internet braucht es nicht.",
  needed: "Bringen Sie mit",
  needs: [
    "den Seitencode des Geräts, von seinem Etikett",
    "den Einmalcode für dieses Gerät, von Ihrer Zentrale",
    "ein Netzkabel, oder Namen und Passphrase des WLANs",
    "wo kalibriert wird: die Flasche Referenzflüssigkeit, Wasser, ein trockenes Tuch",
  ],
  begin:
    "Schalten Sie das Gerät ein, öffnen Sie die Adresse auf seinem Etikett im Browser, und tippen Sie den Seitencode.",
  steps: {
    site: {
      how: "Wählen Sie Ihre Sprache. Tippen Sie Standort, Raum und Ihren Namen.",
      otherwise: "Der Standort ist ein kurzer Name ohne Leerzeichen, wie ihn Ihre Zentrale schreibt.",
    },
    clock: {
      how: "Vergleichen Sie die Uhr des Geräts mit der Ihres Telefons, und stellen Sie sie, wo sie falsch geht.",
      otherwise: "Es vergisst die Zeit jede Nacht? Seine Batterie ist leer: wechseln Sie sie.",
    },
    network: {
      how: "Stecken Sie das Kabel ein, oder wählen Sie das WLAN und tippen Sie die Passphrase.",
      otherwise: "Noch kein Netz? Schließen Sie ohne ab: den Rest tut das Gerät später selbst.",
    },
    checks: {
      how: "Lassen Sie das Gerät alles versuchen, was es erreichen muss.",
      otherwise:
        "Etwas ist gesperrt? Kopieren Sie die Bitte, und schicken Sie sie der IT vor Ort, wie sie ist.",
    },
    "self-test": {
      how: "Lassen Sie jeden Kanal leer und sauber, dann testen Sie.",
      otherwise:
        "Die Seite nennt den Anschluss und was zu ändern ist: Kabel, Polung, Tempo oder den Sensor selbst.",
    },
    calibration: {
      how: "Wählen Sie Messgerät und Flasche, und tun Sie, was die Seite sagt; oder behalten Sie die Kalibrierung davor.",
      otherwise: "Abgelehnt? Nichts wurde geändert. Spülen, ohne Blasen füllen, neu beginnen.",
    },
    identity: {
      how: "Tippen Sie den Einmalcode. Er gilt einmal, und nur für dieses Gerät.",
      otherwise: "Abgelehnt? Die Seite sagt, warum: lassen Sie sich einen neuen geben.",
    },
    label: {
      how: "Drucken Sie das Etikett, oder schreiben Sie seinen Code von Hand auf das Gerät.",
      otherwise: "Der Drucker nimmt die ZPL-Datei, ein Telefon das PDF.",
    },
    report: {
      how: "Machen Sie den Bericht. Grün: das Gerät ist in Betrieb.",
      otherwise: "Er wartet auf ein Netz? Lassen Sie das Gerät eingeschaltet.",
    },
  },
  always: "Jederzeit",
  facts: [
    "Der Strom fiel aus, oder Sie müssen gehen: Getanes bleibt. Öffnen Sie die Seite wieder, es geht weiter, wo es war.",
    "Ein fertiger Schritt lässt sich über seinen Namen wieder öffnen.",
    "Zwei dürfen dieselbe Seite ansehen.",
    "Behalten Sie keinen Code auf Papier: ein benutzter ist nichts wert, ein unbenutzter geht zurück an die Zentrale.",
  ],
};
