import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConnectRequest } from "@coalmine/site";
import { networkSuite, type Situation, SUITE_PASSPHRASE } from "@coalmine/site/network-suite";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { expect, test } from "vitest";
import { CertificateAuthority } from "../cloud/identity/certificate-authority.ts";
import { SimulatedNetwork } from "./simulated-network.ts";
import { openSite, type SitePlan } from "./site-plan.ts";

const drain = () => new Promise<void>((resolve) => setImmediate(resolve));
const ward = {
  ssid: "Ward 7: \\beds",
  security: { kind: "wpa2-psk", passphrase: SUITE_PASSPHRASE },
  signalPercent: 82,
  bandGHz: 5,
} as const;
const accounts = [{ identity: "dev-7", password: "right" }];
const building: SitePlan = {
  ...openSite,
  accessPoints: [
    { ssid: "guests", security: { kind: "open" }, signalPercent: 30, bandGHz: 2.4 },
    ward,
    { ssid: "staff", security: { kind: "802.1x", accounts }, signalPercent: 60, bandGHz: 2.4 },
    { ssid: "labs", security: { kind: "sae", passphrase: "laboratory" }, signalPercent: 41, bandGHz: 6 },
    { ...ward, ssid: "cellar", hidden: true },
  ],
};
const situations: Readonly<Partial<Record<Situation, Partial<SitePlan>>>> = {
  "wrong password of 802.1X": { ethernet: { plugged: true, accounts } },
  "no DHCP": { dhcp: false },
  "no cable": { ethernet: { plugged: false } },
};

/** Drives the clock as long as `work` waits for it. */
async function driven<R>(clock: DrivenClock, work: Promise<R>): Promise<R> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  done.catch(() => undefined);
  await clock.settle();
  while (!isDone) await clock.runUntil(clock.next() ?? clock.now());
  return done;
}

networkSuite("a simulated site", async (situation, use) => {
  const clock = new DrivenClock(Date.UTC(2026, 0, 1), drain);
  const plan = { ...building, ...situations[situation] };
  await driven(clock, use(new SimulatedNetwork(() => plan, clock)));
});

async function connecting(request: object, changes: Partial<SitePlan> = {}) {
  const clock = new DrivenClock(Date.UTC(2026, 0, 1), drain);
  const plan = { ...building, ...changes };
  const network = new SimulatedNetwork(() => plan, clock);
  const result = await driven(clock, network.connect(ConnectRequest.parse(request)));
  return { kind: result.kind, seconds: clock.monotonicMs() / 1000, network, clock };
}
const cellar = (hidden: boolean) => ({
  adapter: "wlan0",
  medium: {
    kind: "wifi",
    ssid: "cellar",
    hidden,
    security: { kind: "wpa2-psk", passphrase: SUITE_PASSPHRASE },
  },
});

test("a hidden network is joined by who asks for it as hidden, and not found by others", async () => {
  expect(await connecting(cellar(true))).toMatchObject({ kind: "connected", seconds: 4.5 });
  expect(await connecting(cellar(false))).toMatchObject({ kind: "network-not-found", seconds: 15 });
});

test("without DHCP it takes 30 s to know; a static address works there", async () => {
  const wired = { adapter: "eth0", medium: { kind: "ethernet" } };
  expect(await connecting(wired, { dhcp: false })).toMatchObject({ kind: "no-dhcp", seconds: 31.5 });
  const addressing = {
    kind: "static",
    address: "10.20.0.80/24",
    gateway: "10.20.0.1",
    dns: ["10.20.0.2"],
  };
  const { network, ...result } = await connecting({ ...wired, addressing }, { dhcp: false });
  expect(result).toMatchObject({ kind: "connected", seconds: 2 });
  expect(network.lease()).toMatchObject({ addresses: ["10.20.0.80/24"] });
});

test("802.1X by certificate is joined by who is listed and holds one that is believed, and a pulled cable ends a link", async () => {
  const folder = await mkdtemp(join(tmpdir(), "eap-"));
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const authority = (name: string) =>
    CertificateAuthority.open({ name, random: new SeededRandom(name), wallClock: systemClock });
  const [hospital, elsewhere] = [await authority("hospital"), await authority("elsewhere")];
  const filesOf = async (by: CertificateAuthority, name: string) => {
    const { certificatePem, privateKeyPem } = by.keysAndCertificate();
    return {
      certificateFile: await file(`${name}.pem`, certificatePem),
      privateKeyFile: await file(`${name}.key`, privateKeyPem),
    };
  };
  const own = await filesOf(hospital, "own");
  const caFile = await file("ca.pem", hospital.certificatePem);
  const tls = (identity: string, eap: object) => ({
    adapter: "eth0",
    medium: { kind: "ethernet", eap: { kind: "tls", identity, ...eap } },
  });
  const guarded = {
    ethernet: { plugged: true, accounts },
    authenticationServer: {
      ...hospital.serverCertificate("radius.hospital.example"),
      believes: hospital.certificatePem,
    },
  };
  const refused: [string, object, Partial<SitePlan>?][] = [
    ["stranger", own],
    ["dev-7", await filesOf(elsewhere, "foreign")],
    // The server is not who the device was told.
    ["dev-7", { ...own, caFile: await file("other.pem", elsewhere.certificatePem) }],
    ["dev-7", { ...own, privateKeyFile: join(folder, "gone") }],
    ["dev-7", own, { ...guarded, authenticationServer: undefined }],
  ];
  for (const [identity, eap, plan = guarded] of refused)
    expect(await connecting(tls(identity, eap), plan)).toMatchObject({ kind: "wrong-identity" });
  expect(await connecting(tls("dev-7", own), guarded)).toMatchObject({ kind: "connected" });
  const { network, clock, ...result } = await connecting(tls("dev-7", { ...own, caFile }), guarded);
  expect(result.kind).toBe("connected");
  await rm(folder, { recursive: true });
  await driven(clock, network.disconnect("eth0"));
  expect(await network.state("eth0")).toEqual({ kind: "disconnected" });
  expect(network.lease()).toBeUndefined();
});
