import type { Texts } from "./texts.ts";

export const es: Texts = {
  frame: {
    program: "Puesta en servicio de este equipo",
    steps: "Pasos",
    copy: "Copiar",
    copied: "Copiado",
    lostTouch:
      "El equipo no responde. Lo que se muestra puede ser antiguo; la página lo vuelve a intentar por sí sola.",
    optional: "(puede quedar vacío)",
    toneWords: { good: "Bien.", bad: "Alto.", warn: "Atención.", busy: "En curso.", info: "" },
  },
  steps: {
    site: "Idioma y lugar",
    clock: "Reloj",
    network: "Red",
    checks: "Comprobación de la red",
    "self-test": "Cableado y autoprueba",
    calibration: "Calibración",
    identity: "Identidad",
    label: "Etiqueta",
    report: "Informe",
  },
  states: { open: "pendiente", done: "hecho", skipped: "omitido", later: "se completa por sí solo" },
  refusals: {
    settings: "Los ajustes del equipo no son correctos. Corríjalos y siga aquí.",
    answers: "Falta algo, o no es válido.",
    "clock-not-set": "El reloj nunca se ha puesto en hora. Póngalo en hora y siga.",
    "clock-off": "El reloj va mal. Póngalo en hora y siga.",
    network: "No hay enlace con esta red.",
    "claim-refused": "El código ha sido rechazado. Compruébelo o pida otro.",
    "claim-expired": "El código ha caducado. Pida otro.",
    unreachable:
      "No se llega a la nube. La comprobación de la red dice qué pedir a la informática del lugar.",
    "wrong-authority":
      "Algo entre este equipo y la nube responde en su lugar. Pida a la informática una excepción.",
    "file-modes": "Otros podrían leer un archivo secreto. Ciérrelo como se indica y siga.",
    "no-serial-port": "No hay ningún instrumento conectado.",
    "silent-instrument": "Un instrumento no responde.",
    "unhealthy-instrument": "Un instrumento no está bien.",
    "port-taken": "Otro programa ocupa el puerto.",
    "disk-full": "El disco está lleno. Libere espacio y siga: lo hecho se conserva.",
  },
  busy: "Hay algo en curso: espere a que termine.",
  moved: (step) => `La página iba retrasada: el equipo está ahora en «${step}».`,
  notYet: (step) => `Antes va «${step}».`,
  noSuchButton: (action) => `«${action}» no existe en esta pantalla.`,
  site: {
    welcome:
      "Choose a language. / Elija un idioma. / Escolha um idioma. / Scegli una lingua. / Wählen Sie eine Sprache.",
    serial: "Número de serie",
    fields: { site: "Centro", room: "Sala", asset: "Número de inventario", technician: "Su nombre" },
    hints: {
      site: "Como lo llama su organización, sin espacios, por ejemplo santa-maria-planta-3",
      room: "En qué lugar del edificio se encuentra",
      asset: "De su propio inventario",
      technician: "Figura en el informe",
    },
    keep: "Seguir",
  },
  clock: {
    device: "Reloj del equipo (UTC)",
    neverSet:
      "Este reloj nunca se ha puesto en hora: el equipo estuvo mucho tiempo sin corriente, o su pila está agotada.",
    agrees: (seconds) => `Coincide con el suyo, con ${Math.abs(seconds)} s de diferencia como mucho.`,
    differs: (seconds) =>
      `Va ${Math.abs(seconds)} s ${seconds > 0 ? "adelantado" : "atrasado"} respecto al suyo. ¿Cuál va bien?`,
    check: "Comparar con este teléfono",
    set: "Poner en hora desde este teléfono",
    keep: "El reloj del equipo va bien",
    now: "La hora actual, por ejemplo 2026-11-27T14:05Z",
    nowHint: "Diga qué hora es, por ejemplo 2026-11-27T14:05Z.",
    notSettable: (why) =>
      `El sistema no deja poner su reloj en hora (${why}): ejecute este programa como root.`,
  },
  network: {
    adapters: "Adaptadores",
    mac: "Direcciones de hardware, para la lista de equipos admitidos del edificio",
    noAdapter: "Este equipo no tiene ningún adaptador de red utilizable.",
    states: {
      absent: "ya no está",
      unplugged: "sin cable, o la radio está apagada",
      disconnected: "sin conexión",
      connecting: "se está conectando",
    },
    connected: ({ addresses, gateway, dns }) =>
      `conectado como ${addresses.join(", ")}, puerta de enlace ${gateway ?? "ninguna"}, DNS ${dns.join(", ") || "ninguno"}`,
    scan: "Elegir una red Wi-Fi",
    scanAgain: "Buscar otra vez",
    seen: "Elija una red",
    nothingSeen: (hidden) =>
      `Aquí ninguna red dice su nombre${hidden > 0 ? `; ${hidden} lo ocultan` : ""}. Mueva el equipo o su antena, o indique una red oculta.`,
    hidden: "Otra, por su nombre",
    pick: "Seguir con esta",
    join: "Conectar",
    cable: (adapter) => `Por cable (${adapter})`,
    static: (adapter) => `Con dirección fija (${adapter})`,
    useStatic: "Usar esta dirección",
    keep: "Seguir",
    without: "Terminar sin red",
    back: "Atrás",
    ssid: "Red",
    security: "Protección",
    securities: {
      open: "ninguna",
      "wpa2-psk": "WPA2 con contraseña",
      sae: "WPA3 con contraseña",
      "802.1x": "802.1X con usuario y contraseña",
      other: "anticuada (WEP)",
    },
    otherSecurity: (ssid) => `«${ssid}» está protegida de una forma que ya no es segura: pida otra red.`,
    identity: "Usuario",
    passphrase: "Contraseña",
    address: "Dirección con prefijo",
    gateway: "Puerta de enlace",
    dns: "Servidores DNS",
    failures: {
      "no-adapter": (adapter) => `Ya no hay ningún adaptador ${adapter}: vuelva a enchufarlo.`,
      unplugged: (adapter) =>
        `No hay cable en ${adapter}, o el otro extremo está apagado: compruebe ambos conectores.`,
      "network-not-found": (ssid) =>
        `«${ssid}» no está al alcance: compruebe su nombre, o mueva el equipo o su antena.`,
      "wrong-passphrase": (ssid) =>
        `«${ssid}» rechaza la contraseña: escríbala otra vez; las mayúsculas cuentan.`,
      "wrong-identity": (identity) =>
        `La red rechaza a «${identity}»: compruebe usuario y contraseña con la informática del lugar; la cuenta puede estar bloqueada, o se quiere otra clase de acceso.`,
      "no-dhcp": (adapter) =>
        `${adapter} tiene enlace pero no recibe dirección: pida a la informática que admita esta dirección de hardware, o una dirección fija.`,
      "timed-out": (seconds) =>
        `No hubo enlace en ${seconds} s: inténtelo otra vez más cerca del punto de acceso.`,
      "not-connected": (why) => `El sistema dice: ${why}`,
    },
  },
  door: {
    title: "Puesta en servicio de este equipo",
    ask: "El código de la etiqueta del equipo",
    open: "Seguir",
    wrong: "Este no es el código del equipo. Está en su etiqueta.",
    shut: (seconds) => `Demasiados códigos equivocados: inténtelo de nuevo en ${seconds} s.`,
  },
};
