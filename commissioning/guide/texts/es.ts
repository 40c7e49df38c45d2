import type { GuideTexts } from "./texts.ts";

export const es: GuideTexts = {
  title: "Poner en servicio un dispositivo",
  what: "Nueve pasos, unos ocho minutos. Basta un teléfono o un portátil junto al dispositivo; no hace falta internet.",
  needed: "Lleve consigo",
  needs: [
    "el código de la página del dispositivo, de su etiqueta",
    "el código de un solo uso para este dispositivo, de sus operadores",
    "un cable de red, o el nombre y la contraseña del wifi",
    "donde se calibra: la botella de líquido de referencia, agua, un paño seco",
  ],
  begin:
    "Encienda el dispositivo, abra en el navegador la dirección de su etiqueta y escriba el código de la página.",
  steps: {
    site: {
      how: "Elija su idioma. Escriba el lugar, la sala y su nombre.",
      otherwise: "El lugar es un nombre corto sin espacios, como lo escriben sus operadores.",
    },
    clock: {
      how: "Compare el reloj del dispositivo con el de su teléfono, y póngalo en hora si va mal.",
      otherwise: "¿Olvida la hora cada noche? Su pila está agotada: cámbiela.",
    },
    network: {
      how: "Enchufe el cable, o elija el wifi y escriba su contraseña.",
      otherwise: "¿Aún no hay red? Termine sin ella: el dispositivo hará el resto solo más tarde.",
    },
    checks: {
      how: "Deje que el dispositivo pruebe todo lo que tiene que alcanzar.",
      otherwise: "¿Algo está bloqueado? Copie la petición y envíela tal cual a la informática del lugar.",
    },
    "self-test": {
      how: "Deje cada canal vacío y limpio, y pruebe.",
      otherwise: "La página dice qué puerto y qué cambiar: cable, polaridad, velocidad o el propio sensor.",
    },
    calibration: {
      how: "Elija instrumento y botella, y haga lo que dice la página; o conserve la calibración anterior.",
      otherwise: "¿Rechazada? Nada ha cambiado. Enjuague, llene sin burbujas y empiece de nuevo.",
    },
    identity: {
      how: "Escriba el código de un solo uso. Sirve una vez, y solo para este dispositivo.",
      otherwise: "¿Rechazado? La página dice por qué: pida otro a sus operadores.",
    },
    label: {
      how: "Imprima la etiqueta, o escriba su código a mano en el dispositivo.",
      otherwise: "La impresora toma el archivo ZPL; un teléfono, el PDF.",
    },
    report: {
      how: "Haga el informe. Verde: el dispositivo está en servicio.",
      otherwise: "¿Espera una red? Deje el dispositivo encendido.",
    },
  },
  always: "En todo momento",
  facts: [
    "Se fue la luz, o tiene que irse: lo hecho queda. Abra la página otra vez, sigue donde estaba.",
    "Un paso terminado se abre de nuevo por su nombre.",
    "Dos personas pueden mirar la misma página.",
    "No guarde códigos en papel: uno usado no vale nada, uno sin usar vuelve a los operadores.",
  ],
};
