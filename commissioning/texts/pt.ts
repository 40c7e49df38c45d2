import { minuteOf } from "./minute.ts";
import type { Texts } from "./texts.ts";

export const pt: Texts = {
  language: "Português",
  network: {
    connect: {
      "no-adapter": ({ adapter }) => ({
        what: `Não há nenhum adaptador de rede ${adapter}.`,
        todo: "Ligue-o, ou escolha outro.",
      }),
      unplugged: ({ adapter }) => ({
        what: `Nenhum cabo está ligado a ${adapter}, ou o seu rádio está desligado.`,
        todo: "Ligue o cabo nas duas pontas, ou ligue o Wi-Fi, e tente de novo.",
      }),
      "network-not-found": ({ ssid }) => ({
        what: `A rede Wi-Fi «${ssid}» não se encontra aqui.`,
        todo: "Procure de novo; se não mostra o nome, indique-a como oculta; aproxime-se de um ponto de acesso.",
      }),
      "wrong-passphrase": ({ ssid }) => ({
        what: `A rede Wi-Fi «${ssid}» recusa a palavra-passe.`,
        todo: "Escreva-a de novo; maiúsculas e espaços contam.",
      }),
      "wrong-identity": ({ identity }) => ({
        what: `A rede não deixa «${identity}» entrar por 802.1X.`,
        todo: "Verifique utilizador e palavra-passe ou certificado; pergunte à informática se conhece esta identidade e se esta tomada ou rede usa 802.1X.",
      }),
      "no-dhcp": ({ adapter }) => ({
        what: `Ninguém dá um endereço a ${adapter} por DHCP.`,
        todo: "Peça à informática que admita este endereço MAC, ou um endereço fixo, e introduza-o.",
      }),
      "timed-out": ({ waitedSeconds }) => ({
        what: `A rede não deixou este aparelho entrar em ${waitedSeconds} s.`,
        todo: "Tente de novo; aproxime-se de um ponto de acesso; pergunte à informática se este endereço MAC é admitido.",
      }),
      "not-connected": ({ why }) => ({
        what: `A rede não está ligada: ${why}.`,
        todo: "Tente de novo, ou por outro caminho; mostre esta frase à informática.",
      }),
    },
    link: {
      connected: ({ lease: { addresses, gateway, dns } }, { adapter }) => ({
        what: `${adapter} tem ${addresses.join(", ")}, gateway ${gateway ?? "nenhum"}, servidores de nomes ${dns.join(", ") || "nenhum"}.`,
      }),
      connecting: (_, { adapter }) => ({
        what: `${adapter} ainda se está a ligar.`,
        todo: "Espere meio minuto e verifique de novo.",
      }),
      disconnected: (_, { adapter }) => ({
        what: `${adapter} não está ligado.`,
        todo: "Escolha uma rede.",
      }),
      unplugged: (_, { adapter }) => ({
        what: `Nenhum cabo está ligado a ${adapter}, ou o seu rádio está desligado.`,
        todo: "Ligue o cabo nas duas pontas, ou ligue o Wi-Fi.",
      }),
      absent: (_, { adapter }) => ({
        what: `Não há nenhum adaptador de rede ${adapter}.`,
        todo: "Ligue-o, ou escolha outro.",
      }),
    },
    gateway: {
      there: () => ({ what: "O gateway está lá." }),
      absent: ({ address }) => ({
        what: `O gateway ${address} não responde.`,
        todo: "Verifique o endereço fixo e o seu gateway; senão, pergunte à informática se esta é a rede certa.",
      }),
      none: () => ({
        what: "A rede não indica nenhum gateway: nada sai dela.",
        todo: "Introduza o gateway de um endereço fixo; senão, peça um por DHCP à informática.",
      }),
    },
    unresolved: {
      "no-dns": ({ name, servers }) => ({
        what: `Nenhum servidor de nomes responde por ${name} (perguntados: ${servers.join(", ") || "não há nenhum"}).`,
        todo: "Peça à informática o servidor de nomes certo, e que abra 53/udp e 53/tcp para ele.",
      }),
      "unknown-name": ({ name, servers }) => ({
        what: `O servidor de nomes ${servers.join(", ")} não conhece ${name}.`,
        todo: "Peça à informática que deixe resolver este nome; verifique o nome.",
      }),
    },
    resolved: ({ addresses }) => ({ what: addresses.join(", ") }),
    noWay: {
      "no-route": ({ address }) => ({
        what: `Nenhum caminho leva a ${address}.`,
        todo: "Verifique o gateway; peça à informática uma saída para a internet nesta rede.",
      }),
      refused: ({ address, port }) => ({
        what: `${address} recusa ligações à porta ${port}: ninguém lá escuta, ou é uma firewall que o diz.`,
        todo: `Peça à informática que abra a porta TCP ${port} para este host.`,
      }),
      silent: ({ address, port, waitedMs }) => ({
        what: `Nada responde em ${address}, porta ${port}, em ${waitedMs / 1000} s: uma firewall descarta.`,
        todo: `Peça à informática que abra a porta TCP ${port} para este host.`,
      }),
      "proxy-unreachable": ({ proxy }, { inner }) => ({
        what: `Não se chega ao proxy ${proxy}. ${inner}`,
        todo: "Verifique o nome e a porta do proxy; pergunte-os à informática.",
      }),
      "proxy-refuses": ({ proxy, status }) => ({
        what: `O proxy ${proxy} recusa com ${status}.`,
        todo:
          status === 407
            ? "Quer utilizador e palavra-passe: introduza os que a informática deu."
            : status === 403
              ? "Peça à informática que permita este host e esta porta no proxy."
              : "Pergunte à informática se o proxy pode chegar a este host e a esta porta.",
      }),
      broken: ({ why }) => ({
        what: `A ligação quebrou-se: ${why}.`,
        todo: "Verifique de novo; se continuar, mostre esta frase à informática.",
      }),
    },
    host: {
      trusted: ({ tookMs, chain: [leaf] }) => ({
        what: `Alcançado em ${Math.round(tookMs)} ms; o certificado é o certo, de ${leaf?.issuer ?? "?"}.`,
      }),
      intercepted: ({ issuer }) => ({
        what: `Alguém no caminho abre o TLS: o certificado está assinado por «${issuer}».`,
        todo: "Peça à informática uma exceção da inspeção de TLS para este nome: o aparelho mostra um certificado próprio, que não sobrevive à inspeção.",
      }),
      "wrong-name": ({ names }) => ({
        what: `Responde outro host: o seu certificado é para ${names.join(", ") || "ninguém"}.`,
        todo: "Verifique o nome do endpoint; pergunte à informática se este nome é desviado.",
      }),
      "not-yet-valid": ({ from, now }) => ({
        what: `O certificado vale desde ${minuteOf(from)}, e o relógio deste aparelho diz ${minuteOf(now)} (UTC).`,
        todo: "Acerte o relógio e verifique de novo.",
      }),
      expired: ({ until, now }) => ({
        what: `O certificado valia até ${minuteOf(until)}, e o relógio deste aparelho diz ${minuteOf(now)} (UTC).`,
        todo: "Compare o relógio do aparelho com outro; se estiver certo, avise quem gere este host.",
      }),
      "no-tls": ({ why }) => ({
        what: `A porta está aberta, mas o TLS não se estabelece: ${why}.`,
        todo: "Pergunte à informática se algo no caminho termina o TLS, e peça uma exceção para este nome.",
      }),
    },
    portal: {
      none: () => ({ what: "Nenhuma página de acesso está no caminho." }),
      captive: ({ page }) => ({
        what: `Esta rede quer que alguém entre primeiro numa página${page === undefined ? "" : `: ${page}`}.`,
        todo: "Um aparelho não pode fazê-lo: peça à informática que admita este endereço MAC sem isso, ou outra rede.",
      }),
      unknown: ({ why }) => ({
        what: `Não se sabe se uma página de acesso está no caminho: o HTTP sem TLS está fechado (${why}), o que não é falha.`,
      }),
    },
    time: {
      answered: ({ aheadMs, roundTripMs }) => ({
        what: `O relógio está certo a menos de ${Math.max(1, Math.ceil((Math.abs(aheadMs) + roundTripMs / 2) / 1000))} s.`,
      }),
      off: ({ minutes, isAhead, server }) => ({
        what: `O relógio está ${minutes} min ${isAhead ? "adiantado" : "atrasado"} em relação a ${server}.`,
        todo: "Acerte o relógio; se voltar, troque a pilha.",
      }),
      unsynchronised: ({ server }) => ({
        what: `${server} não sabe as horas.`,
        todo: "Peça à informática outro servidor de horas.",
      }),
      "no-time": ({ server, waitedMs }) => ({
        what: `${server} não diz as horas em ${waitedMs / 1000} s.`,
        todo: "Peça à informática que abra 123/udp, ou o servidor de horas da casa.",
      }),
    },
    titles: {
      link: "Ligação",
      gateway: "Gateway",
      portal: "Página de acesso",
      name: (name) => `Nome ${name}`,
      time: (server) => `Horas de ${server}`,
      host: ({ host, port, protocol }) => `${host}:${port} (${protocol.toUpperCase()})`,
    },
    request: {
      subject: (serial, site) => `Acesso à rede para o aparelho de medida ${serial}, ${site}`,
      intro:
        "Este aparelho envia medidas à AWS e recebe de lá o seu software. Só abre ligações para fora; nada se liga a ele.",
      mac: (adapter, mac) => `Endereço MAC (${adapter}): ${mac}`,
      hosts: "Por favor, deixem-no chegar a estes hosts:",
      purposes: {
        measurements: "medidas e comandos",
        deployments: "que software executar",
        credentials: "chaves de acesso de curta duração",
        artifacts: "pacotes de software e medidas guardadas",
        logs: "registos para o suporte",
        time: "as horas",
      },
      byProxy: (proxy) => `Usa o proxy ${proxy}; lá é preciso permitir CONNECT a estes hosts e portas.`,
      bypass: "Por favor, excluam estes nomes da inspeção de TLS:",
      mutual:
        "O aparelho identifica-se com um certificado próprio (TLS mútuo). Onde o TLS é aberto no caminho, a ligação falha.",
      seen: "O que agora não funciona:",
      nothing: "Agora tudo funciona.",
      thanks: "Obrigado.",
    },
  },
};
