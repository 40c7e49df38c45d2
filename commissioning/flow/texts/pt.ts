import type { Texts } from "./texts.ts";

export const pt: Texts = {
  frame: {
    program: "Colocar este aparelho em serviço",
    steps: "Passos",
    copy: "Copiar",
    copied: "Copiado",
    lostTouch:
      "O aparelho não responde. O que se vê pode ser antigo; a página volta a tentar por si própria.",
    optional: "(pode ficar vazio)",
    toneWords: { good: "Bem.", bad: "Pare.", warn: "Atenção.", busy: "Em curso.", info: "" },
  },
  steps: {
    site: "Idioma e local",
    clock: "Relógio",
    network: "Rede",
    checks: "Verificação da rede",
    "self-test": "Ligações e autoteste",
    calibration: "Calibração",
    identity: "Identidade",
    label: "Etiqueta",
    report: "Relatório",
  },
  states: { open: "por fazer", done: "feito", skipped: "omitido", later: "conclui-se por si próprio" },
  refusals: {
    settings: "As definições do aparelho não estão certas. Corrija-as e continue aqui.",
    answers: "Falta algo, ou não é válido.",
    "clock-not-set": "O relógio nunca foi acertado. Acerte-o e continue.",
    "clock-off": "O relógio está errado. Acerte-o e continue.",
    network: "Não há ligação a esta rede.",
    "claim-refused": "O código foi recusado. Confira-o ou peça outro.",
    "claim-expired": "O código expirou. Peça outro.",
    unreachable: "Não se chega à nuvem. A verificação da rede diz o que pedir à informática do local.",
    "wrong-authority":
      "Algo entre este aparelho e a nuvem responde em vez dela. Peça à informática uma exceção.",
    "file-modes": "Outros poderiam ler um ficheiro secreto. Feche-o como indicado e continue.",
    "no-serial-port": "Não há nenhum instrumento ligado.",
    "silent-instrument": "Um instrumento não responde.",
    "unhealthy-instrument": "Um instrumento não está bem.",
    "port-taken": "Outro programa ocupa a porta.",
    "disk-full": "O disco está cheio. Liberte espaço e continue: o que foi feito fica guardado.",
  },
  busy: "Algo está em curso: espere até terminar.",
  moved: (step) => `A página estava atrasada: o aparelho está agora em «${step}».`,
  notYet: (step) => `Primeiro vem «${step}».`,
  noSuchButton: (action) => `«${action}» não existe neste ecrã.`,
  site: {
    welcome:
      "Choose a language. / Elija un idioma. / Escolha um idioma. / Scegli una lingua. / Wählen Sie eine Sprache.",
    serial: "Número de série",
    fields: { site: "Local", room: "Sala", asset: "Número de inventário", technician: "O seu nome" },
    hints: {
      site: "Como a sua organização o chama, sem espaços, por exemplo santa-maria-piso-3",
      room: "Onde se encontra no edifício",
      asset: "Do seu próprio inventário",
      technician: "Consta do relatório",
    },
    keep: "Continuar",
  },
  clock: {
    device: "Relógio do aparelho (UTC)",
    neverSet:
      "Este relógio nunca foi acertado: o aparelho esteve muito tempo sem corrente, ou a sua pilha está gasta.",
    agrees: (seconds) => `Coincide com o seu, a menos de ${Math.abs(seconds)} s.`,
    differs: (seconds) =>
      `Está ${Math.abs(seconds)} s ${seconds > 0 ? "adiantado" : "atrasado"} em relação ao seu. Qual está certo?`,
    check: "Comparar com este telefone",
    set: "Acertar por este telefone",
    keep: "O relógio do aparelho está certo",
    now: "A hora atual, por exemplo 2026-11-27T14:05Z",
    nowHint: "Diga que horas são, por exemplo 2026-11-27T14:05Z.",
    notSettable: (why) =>
      `O sistema não deixa acertar o seu relógio (${why}): execute este programa como root.`,
  },
  network: {
    adapters: "Adaptadores",
    mac: "Endereços de hardware, para a lista de aparelhos admitidos do edifício",
    noAdapter: "Este aparelho não tem nenhum adaptador de rede utilizável.",
    states: {
      absent: "já não está",
      unplugged: "sem cabo, ou o rádio está desligado",
      disconnected: "sem ligação",
      connecting: "está a ligar-se",
    },
    connected: ({ addresses, gateway, dns }) =>
      `ligado como ${addresses.join(", ")}, gateway ${gateway ?? "nenhum"}, DNS ${dns.join(", ") || "nenhum"}`,
    scan: "Escolher uma rede Wi-Fi",
    scanAgain: "Procurar outra vez",
    seen: "Escolha uma rede",
    nothingSeen: (hidden) =>
      `Nenhuma rede diz aqui o seu nome${hidden > 0 ? `; ${hidden} ocultam-no` : ""}. Mude o aparelho ou a antena de sítio, ou indique uma rede oculta.`,
    hidden: "Outra, pelo nome",
    pick: "Continuar com esta",
    join: "Ligar",
    cable: (adapter) => `Por cabo (${adapter})`,
    static: (adapter) => `Com endereço fixo (${adapter})`,
    useStatic: "Usar este endereço",
    keep: "Continuar",
    without: "Terminar sem rede",
    back: "Voltar",
    ssid: "Rede",
    security: "Proteção",
    securities: {
      open: "nenhuma",
      "wpa2-psk": "WPA2 com palavra-passe",
      sae: "WPA3 com palavra-passe",
      "802.1x": "802.1X com utilizador e palavra-passe",
      other: "antiquada (WEP)",
    },
    otherSecurity: (ssid) => `«${ssid}» está protegida de um modo que já não é seguro: peça outra rede.`,
    identity: "Utilizador",
    passphrase: "Palavra-passe",
    address: "Endereço com prefixo",
    gateway: "Gateway",
    dns: "Servidores DNS",
    failures: {
      "no-adapter": (adapter) => `Já não há nenhum adaptador ${adapter}: volte a ligá-lo.`,
      unplugged: (adapter) =>
        `Não há cabo em ${adapter}, ou a outra ponta está desligada: verifique as duas fichas.`,
      "network-not-found": (ssid) =>
        `«${ssid}» não está ao alcance: confira o nome, ou mude o aparelho ou a antena de sítio.`,
      "wrong-passphrase": (ssid) =>
        `«${ssid}» recusa a palavra-passe: escreva-a outra vez; as maiúsculas contam.`,
      "wrong-identity": (identity) =>
        `A rede recusa «${identity}»: confira utilizador e palavra-passe com a informática do local; a conta pode estar bloqueada, ou quer-se outro tipo de acesso.`,
      "no-dhcp": (adapter) =>
        `${adapter} tem ligação mas não recebe endereço: peça à informática que admita este endereço de hardware, ou um endereço fixo.`,
      "timed-out": (seconds) =>
        `Não houve ligação em ${seconds} s: tente outra vez mais perto do ponto de acesso.`,
      "not-connected": (why) => `O sistema diz: ${why}`,
    },
  },
  door: {
    title: "Colocar este aparelho em serviço",
    ask: "O código da etiqueta do aparelho",
    open: "Continuar",
    wrong: "Este não é o código do aparelho. Está na sua etiqueta.",
    shut: (seconds) => `Demasiados códigos errados: tente de novo dentro de ${seconds} s.`,
  },
};
