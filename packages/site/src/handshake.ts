import { checkServerIdentity, connect, type DetailedPeerCertificate, type PeerCertificate } from "node:tls";
import { messageOf } from "@coalmine/runtime";
import type { Handshaken, ServedCertificate, TlsDoor } from "./probes.ts";
import { type ProbeMeans, wayTo } from "./way.ts";

/** OpenSSL's words for a chain that ends with nobody whom we trust. */
const OTHER_AUTHORITY = /UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_UNTRUSTED|INVALID_CA|CERT_SIGNATURE_FAILURE/;
/** Longer chains are nobody's; a certificate that was issued by itself ends one. */
const CHAIN_MAX = 10;

/** Shakes hands, looks at what is shown whoever signed it, and hangs up. */
export async function handshake(door: TlsDoor, means: ProbeMeans): Promise<Handshaken> {
  const { host, port, alpn, trust, identity } = door;
  const way = await wayTo(host, port, means);
  if (way.kind !== "way") return way;
  const { clock, waitMs } = means;
  const began = clock.monotonicMs();
  return new Promise((resolve) => {
    const end = (result: Handshaken) => {
      late.cancel();
      tls.destroy();
      way.socket.destroy();
      resolve(result);
    };
    const tls = connect({
      socket: way.socket,
      // An address is no server name (RFC 6066, 3).
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      ca: [trust].flat(),
      // Looked at below: what is refused here could not be told.
      rejectUnauthorized: false,
      ...(alpn === undefined ? {} : { ALPNProtocols: [alpn] }),
      ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.privateKey }),
    });
    const late = clock.timer(waitMs, () =>
      end({ kind: "no-tls", why: `no handshake within ${waitMs / 1000} s` }),
    );
    tls.once("secureConnect", () => {
      const served = tls.getPeerCertificate(true);
      const wrong = String(tls.authorizationError ?? "");
      const found = judged(host, served, wrong, clock.now());
      end(found ?? { kind: "trusted", chain: chainOf(served), tookMs: clock.monotonicMs() - began });
    });
    tls.on("error", (failure) => end({ kind: "no-tls", why: messageOf(failure) }));
    tls.once("close", () => end({ kind: "no-tls", why: "the other end hung up" }));
  });
}

/** Another authority first: to an inspector's certificate neither dates nor names matter. */
function judged(
  host: string,
  served: DetailedPeerCertificate,
  wrong: string,
  now: number,
): Handshaken | undefined {
  const leaf = certificate(served);
  if (OTHER_AUTHORITY.test(wrong))
    return { kind: "intercepted", issuer: leaf.issuer, chain: chainOf(served) };
  if (leaf.from > now || wrong === "CERT_NOT_YET_VALID")
    return { kind: "not-yet-valid", from: leaf.from, now };
  if (leaf.until < now || wrong === "CERT_HAS_EXPIRED") return { kind: "expired", until: leaf.until, now };
  if (checkServerIdentity(host, served) !== undefined) return { kind: "wrong-name", names: leaf.names };
  return wrong === "" || wrong === "null" ? undefined : { kind: "no-tls", why: wrong };
}

function chainOf(served: DetailedPeerCertificate): ServedCertificate[] {
  const chain: ServedCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = served;
  const seen = new Set<string>();
  while (next?.fingerprint256 !== undefined && !seen.has(next.fingerprint256) && chain.length < CHAIN_MAX) {
    chain.push(certificate(next));
    seen.add(next.fingerprint256);
    next = next.issuerCertificate;
  }
  return chain;
}

function certificate(shown: PeerCertificate): ServedCertificate {
  return {
    subject: named(shown.subject),
    issuer: named(shown.issuer),
    names: (shown.subjectaltname ?? "")
      .split(", ")
      .filter((name) => name.startsWith("DNS:"))
      .map((name) => name.slice("DNS:".length)),
    from: Date.parse(shown.valid_from),
    until: Date.parse(shown.valid_to),
  };
}

function named({ O: organisation, CN: name }: { O?: unknown; CN?: unknown } = {}): string {
  return [organisation, name].filter((part) => typeof part === "string" && part !== "").join(", ");
}
