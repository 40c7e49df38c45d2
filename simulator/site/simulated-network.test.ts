import { ConnectRequest } from "@coalmine/site";
import { networkSuite, type Situation, SUITE_PASSPHRASE } from "@coalmine/site/network-suite";
import { DrivenClock } from "@coalmine/runtime";
import { expect, test } from "vitest";
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

test("802.1X by certificate is joined by who is listed, and a pulled cable ends a link", async () => {
  const tls = (identity: string) => ({
    adapter: "eth0",
    medium: {
      kind: "ethernet",
      eap: { kind: "tls", identity, certificateFile: "/c.pem", privateKeyFile: "/k.pem" },
    },
  });
  const guarded = { ethernet: { plugged: true, accounts } };
  expect(await connecting(tls("stranger"), guarded)).toMatchObject({ kind: "wrong-identity" });
  const { network, clock, ...result } = await connecting(tls("dev-7"), guarded);
  expect(result.kind).toBe("connected");
  await driven(clock, network.disconnect("eth0"));
  expect(await network.state("eth0")).toEqual({ kind: "disconnected" });
  expect(network.lease()).toBeUndefined();
});
