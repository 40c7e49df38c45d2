import { generateKeyPairSync, webcrypto } from "node:crypto";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";

/** A key pair made here, and the request for its certificate. The private key never leaves the device. */
export async function certificateRequest(commonName: string): Promise<{ readonly privateKey: string; readonly csr: string }> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { format: "pem", type: "pkcs8" },
    publicKeyEncoding: { format: "der", type: "spki" },
  });
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const pkcs8 = Buffer.from(privateKey.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  const keys = {
    privateKey: await webcrypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]),
    publicKey: await webcrypto.subtle.importKey("spki", publicKey, algorithm, true, ["verify"]),
  };
  const request = await Pkcs10CertificateRequestGenerator.create(
    { name: `CN=${commonName}`, keys, signingAlgorithm: algorithm },
    webcrypto,
  );
  return { privateKey, csr: request.toString("pem") };
}
