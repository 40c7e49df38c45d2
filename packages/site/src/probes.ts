import type { Instant } from "@coalmine/ports";
import type { Secret } from "./secret.ts";

/** An HTTP proxy, as hospitals have them. It resolves names itself. */
export interface Proxy {
  readonly host: string;
  readonly port: number;
  readonly account?: { readonly user: string; readonly password: Secret } | undefined;
  /** Hosts that are reached without it, each by its whole name or address. */
  readonly exceptions?: readonly string[] | undefined;
}

export type Unresolved =
  /** No server answers; there may be none. */
  | { readonly kind: "no-dns"; readonly name: string; readonly servers: readonly string[] }
  /** A server answers that there is no such name. */
  | { readonly kind: "unknown-name"; readonly name: string; readonly servers: readonly string[] };
export type Resolved = { readonly kind: "resolved"; readonly addresses: readonly string[] } | Unresolved;

/** Why no bytes can be exchanged with a port of a host. */
export type NoWay =
  | Unresolved
  | { readonly kind: "no-route"; readonly address: string }
  /** Something answered that nobody listens: the host itself, or a firewall in its name. */
  | { readonly kind: "refused"; readonly address: string; readonly port: number }
  /** Nothing answered: a firewall that drops. */
  | { readonly kind: "silent"; readonly address: string; readonly port: number; readonly waitedMs: number }
  | { readonly kind: "proxy-unreachable"; readonly proxy: string; readonly why: NoWay }
  /** 407 wants an account, 403 wants a rule, 502 to 504 have a firewall behind them. */
  | { readonly kind: "proxy-refuses"; readonly proxy: string; readonly status: number }
  | { readonly kind: "broken"; readonly why: string };
export type Opened = { readonly kind: "open"; readonly tookMs: number } | NoWay;

export interface ServedCertificate {
  /** The name by which people know it: organisation and common name. */
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly from: Instant;
  readonly until: Instant;
}

export interface TlsDoor {
  readonly host: string;
  readonly port: number;
  readonly alpn?: string | undefined;
  /** The certificates that the real server's is signed by, PEM. */
  readonly trust: string | readonly string[];
  /** Shown to a server that asks for it. */
  readonly identity?: { readonly certificate: string; readonly privateKey: string } | undefined;
}

export type Handshaken =
  | {
      readonly kind: "trusted";
      readonly chain: readonly ServedCertificate[];
      readonly tookMs: number;
    }
  /** Somebody on the way answers in the server's place, and signs by himself. */
  | { readonly kind: "intercepted"; readonly issuer: string; readonly chain: readonly ServedCertificate[] }
  | { readonly kind: "wrong-name"; readonly names: readonly string[] }
  /** To this device's clock. */
  | { readonly kind: "not-yet-valid"; readonly from: Instant; readonly now: Instant }
  | { readonly kind: "expired"; readonly until: Instant; readonly now: Instant }
  /** The connection stood, and no handshake came about: who answers speaks no TLS, or hung up. */
  | { readonly kind: "no-tls"; readonly why: string }
  | NoWay;

/** What answered a plain request to a host that is known to answer with a certain header. */
export type Portal =
  | { readonly kind: "none" }
  | { readonly kind: "captive-portal"; readonly status: number; readonly page: string | undefined }
  | NoWay;

/** What a portal says of itself. @see RFC 8908 */
export type PortalApi =
  | { readonly kind: "free" }
  | { readonly kind: "captive-portal"; readonly page: string | undefined }
  | { readonly kind: "no-answer"; readonly why: string };

export type TimeAnswer =
  | {
      readonly kind: "answered";
      /** Positive where this machine's clock is ahead of the server's. */
      readonly aheadMs: number;
      readonly roundTripMs: number;
      readonly stratum: number;
    }
  /** It answers, and does not know the time itself. */
  | { readonly kind: "unsynchronised"; readonly server: string }
  | { readonly kind: "no-time"; readonly server: string; readonly waitedMs: number }
  | Unresolved;

export type GatewayAnswer =
  | { readonly kind: "there" }
  /** The network below it is there, it is not. */
  | { readonly kind: "absent"; readonly address: string };

/** What a network lets through. Everything that a network can do is a result; each has its bound in time. */
export interface Probes {
  resolve(name: string): Promise<Resolved>;
  open(host: string, port: number): Promise<Opened>;
  handshake(door: TlsDoor): Promise<Handshaken>;
  /** Asks `http://host/` without a proxy; the host's own answers have the header `proof`. */
  portal(host: string, proof: string): Promise<Portal>;
  portalApi(url: string): Promise<PortalApi>;
  time(server: string): Promise<TimeAnswer>;
  gateway(address: string): Promise<GatewayAnswer>;
}
