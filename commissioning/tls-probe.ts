import { connect } from "node:tls";
import type { Clock } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { CommissioningRefused } from "./refusal.ts";

const ANSWER_MS = 15_000;
const NOT_YET_VALID = /NOT_YET_VALID/;
const EXPIRED = /CERT_HAS_EXPIRED/;
const OTHER_AUTHORITY = /UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_UNTRUSTED|INVALID_CA|CERT_SIGNATURE_FAILURE/;

export interface TlsDoor {
  readonly host: string;
  readonly port: number;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly rootCaPem: string;
  readonly alpn: string | undefined;
}

/** Shakes hands once and hangs up, to say in a sentence what does not work: network, clock, authority. */
export async function probeTls(door: TlsDoor, clock: Clock): Promise<void> {
  const { host, port } = door;
  await new Promise<void>((resolve, reject) => {
    const socket = connect({
      host,
      port,
      cert: door.certificatePem,
      key: door.privateKeyPem,
      ca: door.rootCaPem,
      servername: host,
      ...(door.alpn === undefined ? {} : { ALPNProtocols: [door.alpn] }),
    });
    const late = clock.timer(ANSWER_MS, () => {
      socket.destroy();
      reject(
        new CommissioningRefused(
          "unreachable",
          `${host}:${port} does not answer within ${ANSWER_MS / 1000} s; open this address in the firewall, and check cable or Wi-Fi`,
        ),
      );
    });
    socket.once("secureConnect", () => {
      late.cancel();
      socket.destroy();
      resolve();
    });
    socket.on("error", (failure) => {
      late.cancel();
      reject(tlsRefusal(failure, `${host}:${port}`));
    });
  });
}

export function tlsRefusal(failure: Error, where: string): CommissioningRefused {
  const code = "code" in failure && typeof failure.code === "string" ? failure.code : "";
  const why = code === "" ? messageOf(failure) : `${code}: ${messageOf(failure)}`;
  const cause = { cause: failure };
  if (NOT_YET_VALID.test(code))
    return new CommissioningRefused(
      "clock-off",
      `to this device the certificate of ${where} lies in the future (${why}); set the clock`,
      cause,
    );
  if (EXPIRED.test(code))
    return new CommissioningRefused(
      "clock-off",
      `to this device the certificate of ${where} is over (${why}); compare the device's clock with a watch`,
      cause,
    );
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || OTHER_AUTHORITY.test(code))
    return new CommissioningRefused(
      "wrong-authority",
      `${where} shows a certificate that AmazonRootCA1.pem does not vouch for (${why}); take the right root CA, or, where the network inspects TLS, ask for a bypass of this name`,
      cause,
    );
  return new CommissioningRefused(
    "unreachable",
    `${where} is not reached (${why}); check the address, cable or Wi-Fi, and that the firewall lets it through`,
    cause,
  );
}
