import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  CertificateAnswer,
  certificateAnswerTopic,
  type CertificateMessage,
  certificateTopic,
} from "@coalmine/contract/commissioning";
import { newSigningRequest } from "@coalmine/device/signing-request";
import type { Clock } from "@coalmine/ports";
import type { IotConnection } from "../iot-connection.ts";
import { parsedJson } from "../parsed-json.ts";
import { CommissioningRefused } from "../refusal.ts";

/** A function behind a rule may start cold, and its calls may be held back. */
const ANSWER_MS = 60_000;

export interface Pair {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** Makes a key, and has the operator's side certify it. An answer to another question, of a run that was cut, is passed over. */
export async function requestCertificate(
  thing: string,
  connection: IotConnection,
  clock: Clock,
): Promise<Pair> {
  const { privateKey: privateKeyPem, request } = newSigningRequest(thing);
  const patience = new AbortController();
  try {
    const answered = new Promise<string>((resolve, reject) => {
      connection
        .subscribe(certificateAnswerTopic(thing), (payload) => {
          const { data } = CertificateAnswer.safeParse(parsedJson(payload));
          if (data !== undefined && isFor(privateKeyPem, data.certificatePem)) resolve(data.certificatePem);
        })
        .then(() => {
          const message: CertificateMessage = { version: 1, kind: "request", request };
          return connection.publish(certificateTopic(thing), JSON.stringify(message));
        })
        .then(() => clock.sleep(ANSWER_MS, patience.signal))
        .then(() =>
          reject(
            new CommissioningRefused(
              "unreachable",
              `no certificate came within ${ANSWER_MS / 1000} s of asking on ${certificateTopic(thing)}; the old one counts on: run this again, and have the rule and its function looked at`,
            ),
          ),
        )
        .catch(reject);
    });
    return { certificatePem: await answered, privateKeyPem };
  } finally {
    patience.abort();
  }
}

function isFor(privateKeyPem: string, certificatePem: string): boolean {
  try {
    return new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(privateKeyPem));
  } catch {
    return false;
  }
}
