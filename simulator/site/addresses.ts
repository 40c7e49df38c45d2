/** The building's own addresses, and those of the world outside. Nothing is ever sent to them: `site-wire.ts` leads elsewhere. */
export const GATEWAY = "10.20.0.1";
export const NAME_SERVER = "10.20.0.2";
const PROXY = "10.20.0.9";
const PORTAL = "10.20.0.10";
export const DEVICE = "10.20.0.77/24";

export const PROXY_HOST = "proxy.hospital.example";
export const PROXY_PORT = 3128;
export const PORTAL_HOST = "portal.hospital.example";
export const PORTAL_API = `https://${PORTAL_HOST}/captive-portal/api`;
export const PORTAL_PAGE = `https://${PORTAL_HOST}/sign-in`;

/** Every name that the building's server knows, with its address; outside is 198.18.0.0/15 (RFC 2544). */
export function addressBook(hosts: readonly string[]): ReadonlyMap<string, string> {
  return new Map([
    [PROXY_HOST, PROXY],
    [PORTAL_HOST, PORTAL],
    ...hosts.map((host, index): [string, string] => [
      host,
      `198.18.${Math.floor(index / 250)}.${(index % 250) + 1}`,
    ]),
  ]);
}
