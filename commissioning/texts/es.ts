import { minuteOf } from "./minute.ts";
import type { Texts } from "./texts.ts";

export const es: Texts = {
  language: "Español",
  network: {
    connect: {
      "no-adapter": ({ adapter }) => ({
        what: `No hay ningún adaptador de red ${adapter}.`,
        todo: "Conéctelo o elija otro.",
      }),
      unplugged: ({ adapter }) => ({
        what: `No hay cable en ${adapter}, o su radio está apagada.`,
        todo: "Conecte el cable por los dos extremos, o encienda la wifi, e inténtelo de nuevo.",
      }),
      "network-not-found": ({ ssid }) => ({
        what: `La red wifi «${ssid}» no se encuentra aquí.`,
        todo: "Busque de nuevo; si no muestra su nombre, márquela como oculta; acérquese a un punto de acceso.",
      }),
      "wrong-passphrase": ({ ssid }) => ({
        what: `La red wifi «${ssid}» rechaza la contraseña.`,
        todo: "Escríbala otra vez; cuentan las mayúsculas y los espacios.",
      }),
      "wrong-identity": ({ identity }) => ({
        what: `La red no deja entrar a «${identity}» por 802.1X.`,
        todo: "Compruebe usuario y contraseña o certificado; pregunte a informática si conocen esta identidad y si esta toma o red usa 802.1X.",
      }),
      "no-dhcp": ({ adapter }) => ({
        what: `Nadie da una dirección a ${adapter} por DHCP.`,
        todo: "Pida a informática que admita esta dirección MAC, o una dirección fija, e introdúzcala.",
      }),
      "timed-out": ({ waitedSeconds }) => ({
        what: `La red no ha dejado entrar a este equipo en ${waitedSeconds} s.`,
        todo: "Inténtelo de nuevo; acérquese a un punto de acceso; pregunte a informática si esta dirección MAC está admitida.",
      }),
      "not-connected": ({ why }) => ({
        what: `La red no está conectada: ${why}.`,
        todo: "Inténtelo de nuevo o por otro camino; enseñe esta frase a informática.",
      }),
    },
    link: {
      connected: ({ lease: { addresses, gateway, dns } }, { adapter }) => ({
        what: `${adapter} tiene ${addresses.join(", ")}, puerta de enlace ${gateway ?? "ninguna"}, servidores de nombres ${dns.join(", ") || "ninguno"}.`,
      }),
      connecting: (_, { adapter }) => ({
        what: `${adapter} todavía se está conectando.`,
        todo: "Espere medio minuto y compruebe de nuevo.",
      }),
      disconnected: (_, { adapter }) => ({
        what: `${adapter} no está conectado.`,
        todo: "Elija una red.",
      }),
      unplugged: (_, { adapter }) => ({
        what: `No hay cable en ${adapter}, o su radio está apagada.`,
        todo: "Conecte el cable por los dos extremos, o encienda la wifi.",
      }),
      absent: (_, { adapter }) => ({
        what: `No hay ningún adaptador de red ${adapter}.`,
        todo: "Conéctelo o elija otro.",
      }),
    },
    gateway: {
      there: () => ({ what: "La puerta de enlace está ahí." }),
      absent: ({ address }) => ({
        what: `La puerta de enlace ${address} no responde.`,
        todo: "Compruebe la dirección fija y su puerta de enlace; si no, pregunte a informática si esta es la red correcta.",
      }),
      none: () => ({
        what: "La red no indica ninguna puerta de enlace: nada sale de ella.",
        todo: "Introduzca la puerta de enlace de una dirección fija; si no, pida una por DHCP a informática.",
      }),
    },
    unresolved: {
      "no-dns": ({ name, servers }) => ({
        what: `Ningún servidor de nombres responde por ${name} (preguntados: ${servers.join(", ") || "no hay ninguno"}).`,
        todo: "Pida a informática el servidor de nombres correcto y que abran 53/udp y 53/tcp hacia él.",
      }),
      "unknown-name": ({ name, servers }) => ({
        what: `El servidor de nombres ${servers.join(", ")} no conoce ${name}.`,
        todo: "Pida a informática que dejen resolver este nombre; compruebe el nombre.",
      }),
    },
    resolved: ({ addresses }) => ({ what: addresses.join(", ") }),
    noWay: {
      "no-route": ({ address }) => ({
        what: `Ningún camino lleva a ${address}.`,
        todo: "Compruebe la puerta de enlace; pida a informática una salida a internet para esta red.",
      }),
      refused: ({ address, port }) => ({
        what: `${address} rechaza conexiones al puerto ${port}: nadie escucha allí, o lo dice un cortafuegos.`,
        todo: `Pida a informática que abran el puerto TCP ${port} hacia este host.`,
      }),
      silent: ({ address, port, waitedMs }) => ({
        what: `Nada responde en ${address}, puerto ${port}, en ${waitedMs / 1000} s: un cortafuegos lo descarta.`,
        todo: `Pida a informática que abran el puerto TCP ${port} hacia este host.`,
      }),
      "proxy-unreachable": ({ proxy }, { inner }) => ({
        what: `No se llega al proxy ${proxy}. ${inner}`,
        todo: "Compruebe el nombre y el puerto del proxy; pregúntelos a informática.",
      }),
      "proxy-refuses": ({ proxy, status }) => ({
        what: `El proxy ${proxy} rechaza con ${status}.`,
        todo:
          status === 407
            ? "Quiere usuario y contraseña: introduzca los que le dio informática."
            : status === 403
              ? "Pida a informática que permitan este host y puerto en el proxy."
              : "Pregunte a informática si el proxy puede llegar a este host y puerto.",
      }),
      broken: ({ why }) => ({
        what: `La conexión se ha cortado: ${why}.`,
        todo: "Compruebe de nuevo; si sigue, enseñe esta frase a informática.",
      }),
    },
    host: {
      trusted: ({ tookMs, chain: [leaf] }) => ({
        what: `Alcanzado en ${Math.round(tookMs)} ms; el certificado es el correcto, de ${leaf?.issuer ?? "?"}.`,
      }),
      intercepted: ({ issuer }) => ({
        what: `Alguien abre TLS por el camino: el certificado está firmado por «${issuer}».`,
        todo: "Pida a informática una excepción de la inspección TLS para este nombre: el equipo presenta un certificado propio, que no sobrevive a la inspección.",
      }),
      "wrong-name": ({ names }) => ({
        what: `Responde otro host: su certificado es para ${names.join(", ") || "nadie"}.`,
        todo: "Compruebe el nombre del punto de conexión; pregunte a informática si este nombre se desvía.",
      }),
      "not-yet-valid": ({ from, now }) => ({
        what: `El certificado vale desde ${minuteOf(from)}, y el reloj de este equipo dice ${minuteOf(now)} (UTC).`,
        todo: "Ponga el reloj en hora y compruebe de nuevo.",
      }),
      expired: ({ until, now }) => ({
        what: `El certificado valía hasta ${minuteOf(until)}, y el reloj de este equipo dice ${minuteOf(now)} (UTC).`,
        todo: "Compare el reloj del equipo con otro; si va bien, avise a quien lleva este host.",
      }),
      "no-tls": ({ why }) => ({
        what: `El puerto está abierto, pero TLS no se establece: ${why}.`,
        todo: "Pregunte a informática si algo corta TLS por el camino, y pida una excepción para este nombre.",
      }),
    },
    portal: {
      none: () => ({ what: "Ninguna página de acceso se interpone." }),
      captive: ({ page }) => ({
        what: `Esta red quiere que alguien se identifique antes en una página${page === undefined ? "" : `: ${page}`}.`,
        todo: "Un equipo no puede hacerlo: pida a informática que admitan esta dirección MAC sin ello, u otra red.",
      }),
      unknown: ({ why }) => ({
        what: `No se sabe si se interpone una página de acceso: HTTP sin TLS está cerrado (${why}), y no es ningún fallo.`,
      }),
    },
    time: {
      answered: ({ aheadMs, roundTripMs }) => ({
        what: `El reloj va bien, con ${Math.max(1, Math.ceil((Math.abs(aheadMs) + roundTripMs / 2) / 1000))} s de margen.`,
      }),
      off: ({ minutes, isAhead, server }) => ({
        what: `El reloj va ${minutes} min ${isAhead ? "adelantado" : "atrasado"} respecto a ${server}.`,
        todo: "Póngalo en hora; si se repite, cambie su pila.",
      }),
      unsynchronised: ({ server }) => ({
        what: `${server} no sabe la hora.`,
        todo: "Pida a informática otro servidor de hora.",
      }),
      "no-time": ({ server, waitedMs }) => ({
        what: `${server} no da la hora en ${waitedMs / 1000} s.`,
        todo: "Pida a informática que abran 123/udp, o el servidor de hora de la casa.",
      }),
    },
    titles: {
      link: "Enlace",
      gateway: "Puerta de enlace",
      portal: "Página de acceso",
      name: (name) => `Nombre ${name}`,
      time: (server) => `Hora de ${server}`,
      host: ({ host, port, protocol }) => `${host}:${port} (${protocol.toUpperCase()})`,
    },
    request: {
      subject: (serial, site) => `Acceso a la red para el equipo de medida ${serial}, ${site}`,
      intro:
        "Este equipo envía medidas a AWS y recibe de allí su software. Solo abre conexiones hacia fuera; nada se conecta a él.",
      mac: (adapter, mac) => `Dirección MAC (${adapter}): ${mac}`,
      hosts: "Por favor, permitan que llegue a estos hosts:",
      purposes: {
        measurements: "medidas y órdenes",
        deployments: "qué software debe ejecutar",
        credentials: "claves de acceso de corta vida",
        artifacts: "paquetes de software y medidas guardadas",
        logs: "registros para el soporte",
        time: "la hora",
      },
      byProxy: (proxy) => `Usa el proxy ${proxy}; allí hay que permitir CONNECT a estos hosts y puertos.`,
      bypass: "Por favor, exceptúen estos nombres de la inspección TLS:",
      mutual:
        "El equipo se identifica con un certificado propio (TLS mutuo). Donde se abre TLS por el camino, la conexión falla.",
      seen: "Lo que ahora no funciona:",
      nothing: "Ahora funciona todo.",
      thanks: "Gracias.",
    },
  },
};
