import { systemClock } from "@coalmine/runtime/system-clock";
import { ConnectRequest, Secret } from "@coalmine/site";
import { beforeEach, expect, test } from "vitest";
import { SimulatedNetwork } from "../../simulator/site/simulated-network.ts";
import { openSite, type SitePlan } from "../../simulator/site/site-plan.ts";
import { BesideOwnNetwork } from "./beside-own-network.ts";

const own = { ssid: "coalmine-core-01", passphrase: new Secret("K7QF-2M9X") };
const building: SitePlan = {
  ...openSite,
  ethernet: { plugged: false },
  accessPoints: [
    {
      ssid: "ward",
      signalPercent: 70,
      bandGHz: 2.4,
      security: { kind: "wpa2-psk", passphrase: "cellar 42!" },
    },
  ],
};
const ward = (passphrase: string) =>
  ConnectRequest.parse({
    adapter: "wlan0",
    medium: { kind: "wifi", ssid: "ward", security: { kind: "wpa2-psk", passphrase } },
  });

let site: SitePlan;
let radio: SimulatedNetwork;
let network: BesideOwnNetwork;
beforeEach(() => {
  site = building;
  // Nobody waits here.
  radio = new SimulatedNetwork(() => site, { ...systemClock, sleep: async () => undefined });
  network = new BesideOwnNetwork(radio, radio.accessPoint, own);
});
/** As a phone sees it. */
const isOffered = () => radio.offered?.ssid === own.ssid;

test("where there is Wi-Fi and no link it offers, which is no link; what it saw before is told, and looking again costs the phone its network for a moment", async () => {
  expect(await network.offer()).toEqual({ kind: "open", address: "10.42.7.1" });
  expect([isOffered(), (await network.state("wlan0")).kind]).toEqual([true, "disconnected"]);
  expect((await network.scan("wlan0")).networks.map(({ ssid }) => ssid)).toEqual(["ward"]);
  expect(isOffered()).toBe(true);
  site = { ...building, accessPoints: [] };
  // The program was killed, and starts again: the network that it left is no link.
  const again = new BesideOwnNetwork(radio, radio.accessPoint, own);
  expect(await again.offer()).toMatchObject({ kind: "open" });
  // A radio that offers sees nobody: it has to stop for that.
  await expect(radio.scan("wlan0")).rejects.toThrow("offers a network");
  expect((await network.scan("wlan0")).networks).toEqual([]);
  expect(isOffered()).toBe(true);
});

test("a network that is not joined brings it back with the reason; one that is joined ends it", async () => {
  await network.offer();
  expect(await network.connect(ward("wrong passphrase"))).toMatchObject({ kind: "wrong-passphrase" });
  expect(isOffered()).toBe(true);
  expect(await network.connect(ward("cellar 42!"))).toMatchObject({ kind: "connected" });
  expect([isOffered(), (await network.state("wlan0")).kind]).toEqual([false, "connected"]);
  expect(await network.offer()).toBeUndefined();
});

test("with a cable it stays as long as the program wants; with a link already, or without a radio, there is none", async () => {
  await network.offer();
  site = { ...building, ethernet: { plugged: true } };
  const cable = ConnectRequest.parse({ adapter: "eth0", medium: { kind: "ethernet" } });
  expect(await network.connect(cable)).toMatchObject({ kind: "connected" });
  expect(isOffered()).toBe(true);
  await network.withdraw();
  expect(isOffered()).toBe(false);
  expect(await network.offer()).toBeUndefined();
  site = { ...building, adapters: building.adapters.slice(0, 1) };
  expect(await network.offer()).toBeUndefined();
});
