import { once } from "node:events";
import { createSecureContext, createServer, type SecureContext, type Server } from "node:tls";
import type { CertificateAuthority } from "../cloud/identity/certificate-authority.ts";

/**
 * Answers for any host, with a certificate that it makes for the name asked for: the world outside, or an inspector in its
 * place, which shows its authority too.
 */
export async function serveTls(authority: CertificateAuthority, showsAuthority: boolean): Promise<Server> {
  const made = new Map<string, SecureContext>();
  const contextFor = (name: string): SecureContext => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const { certificatePem, privateKeyPem } = authority.serverCertificate(name);
    const context = createSecureContext({
      key: privateKeyPem,
      cert: certificatePem + (showsAuthority ? authority.certificatePem : ""),
    });
    made.set(name, context);
    return context;
  };
  const unnamed = authority.serverCertificate("unnamed.example");
  const server = createServer({
    // For who names nobody.
    key: unnamed.privateKeyPem,
    cert: unnamed.certificatePem,
    ALPNProtocols: ["x-amzn-mqtt-ca", "http/1.1"],
    requestCert: true,
    rejectUnauthorized: false,
    SNICallback: (name, done) => done(null, contextFor(name)),
  });
  // Who only looks hangs up before anything is said.
  server.on("secureConnection", (socket) => socket.on("error", () => socket.destroy()));
  server.on("tlsClientError", (_, socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
