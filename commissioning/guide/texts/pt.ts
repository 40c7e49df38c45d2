import type { GuideTexts } from "./texts.ts";

export const pt: GuideTexts = {
  title: "Pôr um dispositivo em serviço",
  what: "Nove passos, cerca de oito minutos. Basta um telefone ou um portátil junto ao dispositivo; não é precisa internet.",
  needed: "Leve consigo",
  needs: [
    "o código da página do dispositivo, da sua etiqueta",
    "o código de uso único para este dispositivo, dos seus operadores",
    "um cabo de rede, ou o nome e a palavra-passe do Wi-Fi",
    "onde se calibra: a garrafa de líquido de referência, água, um pano seco",
  ],
  begin: "Ligue o dispositivo, abra no navegador o endereço da sua etiqueta e escreva o código da página.",
  steps: {
    site: {
      how: "Escolha o seu idioma. Escreva o local, a sala e o seu nome.",
      otherwise: "O local é um nome curto sem espaços, como os seus operadores o escrevem.",
    },
    clock: {
      how: "Compare o relógio do dispositivo com o do seu telefone, e acerte-o se estiver errado.",
      otherwise: "Esquece a hora todas as noites? A pilha está gasta: troque-a.",
    },
    network: {
      how: "Ligue o cabo, ou escolha o Wi-Fi e escreva a palavra-passe.",
      otherwise: "Ainda não há rede? Termine sem ela: o dispositivo faz o resto sozinho mais tarde.",
    },
    checks: {
      how: "Deixe o dispositivo tentar tudo o que tem de alcançar.",
      otherwise: "Algo está bloqueado? Copie o pedido e envie-o tal como está à informática do local.",
    },
    "self-test": {
      how: "Deixe cada canal vazio e limpo, e teste.",
      otherwise: "A página diz que porta e o que mudar: cabo, polaridade, velocidade ou o próprio sensor.",
    },
    calibration: {
      how: "Escolha instrumento e garrafa, e faça o que a página diz; ou mantenha a calibração anterior.",
      otherwise: "Recusada? Nada mudou. Lave, encha sem bolhas e comece de novo.",
    },
    identity: {
      how: "Escreva o código de uso único. Serve uma vez, e só para este dispositivo.",
      otherwise: "Recusado? A página diz porquê: peça outro aos seus operadores.",
    },
    label: {
      how: "Imprima a etiqueta, ou escreva o seu código à mão no dispositivo.",
      otherwise: "A impressora recebe o ficheiro ZPL; um telefone, o PDF.",
    },
    report: {
      how: "Faça o relatório. Verde: o dispositivo está em serviço.",
      otherwise: "Espera por uma rede? Deixe o dispositivo ligado.",
    },
  },
  always: "A qualquer momento",
  facts: [
    "A luz faltou, ou tem de sair: o que está feito fica. Abra a página outra vez, continua onde estava.",
    "Um passo terminado abre-se de novo pelo seu nome.",
    "Duas pessoas podem olhar para a mesma página.",
    "Não guarde códigos em papel: um usado não vale nada, um por usar volta aos operadores.",
  ],
};
