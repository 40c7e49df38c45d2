import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { Secret } from "@coalmine/site";
import { expect, test } from "vitest";
import { CertificateAuthority } from "../simulator/cloud/identity/certificate-authority.ts";
import { openSite } from "../simulator/site/site-plan.ts";
import { startSite } from "../simulator/site/simulated-site.ts";
import { compareClock } from "./clock-gate.ts";

test("the clock is compared through the building's proxy; one that refuses is told as that", async () => {
  const random = new SeededRandom("by-proxy");
  const authority = await CertificateAuthority.open({ random, wallClock: systemClock });
  const { privateKeyPem: key, certificatePem: cert } = authority.serverCertificate("localhost");
  const server = createServer({ key, cert }, (_, response) => response.end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const account = { user: "ward-7", password: "pr0xy-pw" };
  const site = await startSite(
    {
      ...openSite,
      hosts: ["localhost"],
      doors: { [`localhost:${port}`]: port },
      proxy: { account, isOnlyWay: true },
    },
    { clock: systemClock, wallClock: systemClock, random },
  );
  try {
    const by = (password: string) => ({
      ...site.proxyAt,
      account: { user: account.user, password: new Secret(password) },
    });
    const door = { endpoint: `localhost:${port}`, rootCaPem: authority.certificatePem };
    expect(Math.abs(await compareClock(door, systemClock, by(account.password)))).toBeLessThan(60_000);
    expect(site.proxied).toEqual(new Set([door.endpoint]));
    await expect(compareClock(door, systemClock, by("wrong"))).rejects.toThrow("407");
  } finally {
    server.closeAllConnections();
    server.close();
    await site.close();
  }
});
