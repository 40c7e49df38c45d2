import type { GuideTexts } from "./texts.ts";

export const it: GuideTexts = {
  title: "Mettere in servizio un dispositivo",
  what: "Nove passi, circa otto minuti. Basta un telefono o un portatile accanto al dispositivo; internet non serve.",
  needed: "Portare con sé",
  needs: [
    "il codice della pagina del dispositivo, dalla sua etichetta",
    "il codice monouso per questo dispositivo, dagli operatori",
    "un cavo di rete, o il nome e la passphrase del Wi-Fi",
    "dove si calibra: la bottiglia di liquido di riferimento, acqua, un panno asciutto",
  ],
  begin:
    "Accendere il dispositivo, aprire nel browser l’indirizzo della sua etichetta e scrivere il codice della pagina.",
  steps: {
    site: {
      how: "Scegliere la lingua. Scrivere il luogo, la stanza e il proprio nome.",
      otherwise: "Il luogo è un nome breve senza spazi, come lo scrivono gli operatori.",
    },
    clock: {
      how: "Confrontare l’orologio del dispositivo con quello del telefono, e regolarlo se è sbagliato.",
      otherwise: "Dimentica l’ora ogni notte? La batteria è scarica: cambiarla.",
    },
    network: {
      how: "Inserire il cavo, o scegliere il Wi-Fi e scriverne la passphrase.",
      otherwise: "Ancora nessuna rete? Finire senza: il resto il dispositivo lo fa da solo più tardi.",
    },
    checks: {
      how: "Lasciare che il dispositivo provi tutto ciò che deve raggiungere.",
      otherwise: "Qualcosa è bloccato? Copiare la richiesta e mandarla così com’è all’informatica del posto.",
    },
    "self-test": {
      how: "Lasciare ogni canale vuoto e pulito, poi provare.",
      otherwise:
        "La pagina dice quale porta e che cosa cambiare: cavo, polarità, velocità o il sensore stesso.",
    },
    calibration: {
      how: "Scegliere strumento e bottiglia, e fare ciò che dice la pagina; o tenere la calibrazione di prima.",
      otherwise: "Rifiutata? Nulla è cambiato. Sciacquare, riempire senza bolle, ricominciare.",
    },
    identity: {
      how: "Scrivere il codice monouso. Vale una volta, e solo per questo dispositivo.",
      otherwise: "Rifiutato? La pagina dice perché: chiederne uno nuovo agli operatori.",
    },
    label: {
      how: "Stampare l’etichetta, o scriverne il codice a mano sul dispositivo.",
      otherwise: "La stampante prende il file ZPL; un telefono, il PDF.",
    },
    report: {
      how: "Fare il rapporto. Verde: il dispositivo è in servizio.",
      otherwise: "Aspetta una rete? Lasciare acceso il dispositivo.",
    },
  },
  always: "In ogni momento",
  facts: [
    "È mancata la corrente, o bisogna andare: il fatto resta. Riaprire la pagina, continua da dov’era.",
    "Un passo finito si riapre dal suo nome.",
    "Due persone possono guardare la stessa pagina.",
    "Non tenere codici su carta: uno usato non vale nulla, uno non usato torna agli operatori.",
  ],
};
