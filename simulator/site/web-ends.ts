import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import { connect } from "node:net";
import type { CertificateAuthority } from "../cloud/identity/certificate-authority.ts";
import { PORTAL_HOST, PORTAL_PAGE } from "./addresses.ts";
import type { SitePlan } from "./site-plan.ts";

/** S3's way to answer a plain request: to https, with the request's id. */
export function serveOutside(): Promise<Server> {
  return listening(
    createServer((_, response) => {
      response.writeHead(307, { location: "https://aws.amazon.com/s3/", "x-amz-request-id": "SIMULATED" });
      response.end();
    }),
  );
}

/** Whoever asks for anything is sent to sign in. */
export function servePortal(): Promise<Server> {
  return listening(
    createServer((_, response) => {
      response.writeHead(302, { location: PORTAL_PAGE });
      response.end();
    }),
  );
}

/** What DHCP's option 114 leads to (RFC 8908). */
export function servePortalApi(authority: CertificateAuthority, plan: () => SitePlan): Promise<SecureServer> {
  const { certificatePem, privateKeyPem } = authority.serverCertificate(PORTAL_HOST);
  return listening(
    createSecureServer({ key: privateKeyPem, cert: certificatePem }, (_, response) => {
      response.writeHead(200, { "content-type": "application/captive+json" });
      response.end(JSON.stringify({ captive: plan().captivePortal, "user-portal-url": PORTAL_PAGE }));
    }),
  );
}

/** An HTTP proxy for CONNECT alone; `doorOf` says which port of loopback is behind a host's, `proxied` is what it led to. */
export function serveProxy(
  plan: () => SitePlan,
  doorOf: (host: string, port: number) => number | undefined,
  proxied: Set<string>,
): Promise<Server> {
  const server = createServer((_, response) => response.writeHead(405).end());
  server.on("connect", ({ url = "", headers }, client, head) => {
    client.on("error", () => client.destroy());
    const refuse = (status: number, words: string) => client.end(`HTTP/1.1 ${status} ${words}\r\n\r\n`);
    const { account, allows } = plan().proxy ?? {};
    const wanted =
      account && `Basic ${Buffer.from(`${account.user}:${account.password}`).toString("base64")}`;
    const [host = "", port = ""] = url.split(":");
    if (wanted !== undefined && headers["proxy-authorization"] !== wanted)
      return refuse(407, "Proxy Authentication Required");
    if (allows !== undefined && !allows.includes(host)) return refuse(403, "Forbidden");
    const door = doorOf(host, Number(port));
    if (door === undefined) return refuse(504, "Gateway Timeout");
    proxied.add(url);
    const onward = connect({ host: "127.0.0.1", port: door }, () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.write(head);
      onward.pipe(client).pipe(onward);
    });
    client.on("close", () => onward.destroy());
    return onward.on("error", () => client.destroy()).on("close", () => client.destroy());
  });
  return listening(server);
}

async function listening<S extends Server | SecureServer>(server: S): Promise<S> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
