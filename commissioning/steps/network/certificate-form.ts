import { type CertificateProblem, type EapCertificate, eapCertificate } from "../../eap/eap-certificate.ts";
import type { Scene } from "../../flow/flow.ts";
import type { Block, Values } from "../../flow/screen.ts";
import type { Texts } from "../../flow/texts/texts.ts";
import { CommissioningRefused } from "../../refusal.ts";

const CERTIFICATES = ".p12,.pfx,.pem,.crt,.cer";
const KEYS = ".key,.pem";

export function certificateBlocks(words: Texts["network"]): Block[] {
  const optional = { isOptional: true } as const;
  return [
    {
      kind: "file",
      name: "certificate",
      label: words.certificate,
      hint: words.certificateHint,
      accept: CERTIFICATES,
    },
    { kind: "file", name: "key", label: words.key, hint: words.keyHint, accept: KEYS, ...optional },
    { kind: "input", name: "key-password", label: words.keyPassword, type: "secret", ...optional },
    {
      kind: "file",
      name: "authority",
      label: words.authority,
      hint: words.authorityHint,
      accept: CERTIFICATES,
      ...optional,
    },
  ];
}

/** @throws CommissioningRefused that says in words what is wrong with the files. */
export function certificateGiven(
  { "key-password": typed = "" }: Values,
  { files, texts: { network: words } }: Pick<Scene, "files" | "texts">,
  now: number,
): EapCertificate {
  const { certificate, key, authority } = files;
  if (certificate === undefined) throw new CommissioningRefused("answers", words.certificate);
  const password = typed === "" ? undefined : typed;
  const read = eapCertificate({ certificate, key, password, authority }, now);
  if (!("kind" in read)) return read;
  throw new CommissioningRefused("certificate", said(read, words));
}

function said(problem: CertificateProblem, { certificateProblems: sentences }: Texts["network"]): string {
  if (problem.kind !== "not-valid") return sentences[problem.kind];
  const [from, until] = [problem.from, problem.until].map((day) => day.toISOString().slice(0, 10));
  return sentences["not-valid"](from ?? "", until ?? "");
}
