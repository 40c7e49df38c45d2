import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { duplexPair } from "node:stream";
import { type ConnectionOptions, connect, createServer } from "node:tls";
import type { Eap } from "@coalmine/site";
import type { AuthenticationServer } from "./site-plan.ts";

type EapTls = Extract<Eap, { kind: "tls" }>;

/** Whether device and authentication server believe each other: the handshake that EAP-TLS carries. @see RFC 5216, 2.1 */
export async function isBelieved(eap: EapTls, server: AuthenticationServer): Promise<boolean> {
  const [deviceEnd, serverEnd] = duplexPair();
  const { certificatePem: cert, privateKeyPem: key, believes: ca } = server;
  const end = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true });
  try {
    const device = connect({ ...(await identityOf(eap)), socket: deviceEnd });
    // Who is refused hears it later than the server knows it.
    device.on("error", () => undefined);
    const told = Promise.race([
      once(end, "secureConnection").then(() => true),
      once(end, "tlsClientError").then(() => false),
    ]);
    end.emit("connection", serverEnd);
    // The device looks at the server's certificate when the server has done its part already.
    const [isLetIn] = await Promise.all([told, once(device, "secureConnect")]);
    return isLetIn;
  } catch {
    // No file that OpenSSL can open, or a server that the device does not believe.
    return false;
  } finally {
    deviceEnd.destroy();
    serverEnd.destroy();
  }
}

/** As a supplicant reads it: a file that is no PEM is PKCS #12. Without an authority it believes any server. */
async function identityOf(eap: EapTls): Promise<ConnectionOptions> {
  const key = await readFile(eap.privateKeyFile);
  const passphrase = eap.privateKeyPassword?.reveal();
  const own = key.includes("-----BEGIN")
    ? { key, cert: await readFile(eap.certificateFile), passphrase }
    : { pfx: key, passphrase };
  // It has no name to compare: whose certificate it is, is all that is asked.
  return eap.caFile === undefined
    ? { ...own, rejectUnauthorized: false }
    : { ...own, ca: await readFile(eap.caFile), checkServerIdentity: () => undefined };
}
