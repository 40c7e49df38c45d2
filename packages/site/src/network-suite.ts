import { expect, test } from "vitest";
import { ConnectRequest } from "./connect-request.ts";
import type { Connected, Network } from "./network.ts";

/** What each end has to be able to show: the same building, in the same trouble. */
export type Situation =
  | "well"
  | "wrong passphrase"
  | "no such network"
  | "wrong password of 802.1X"
  | "no DHCP"
  | "no cable"
  | "no such adapter";

/** With what nmcli reads in its own way. */
export const SUITE_PASSPHRASE = "door shut: \\ 1234 ";
const WRONG = "not the passphrase";

const wifi = (passphrase: string, ssid = "Ward 7: \\beds") => ({
  adapter: "wlan0",
  medium: { kind: "wifi", ssid, security: { kind: "wpa2-psk", passphrase } },
});
const ethernet = (changes: object = {}) => ({ adapter: "eth0", medium: { kind: "ethernet", ...changes } });
const eap = { eap: { kind: "peap", identity: "dev-7", password: WRONG } };

const asked: readonly [Situation, object, Connected["kind"]][] = [
  ["well", wifi(SUITE_PASSPHRASE), "connected"],
  ["wrong passphrase", wifi(WRONG), "wrong-passphrase"],
  ["no such network", wifi(SUITE_PASSPHRASE, "Ward 8"), "network-not-found"],
  ["wrong password of 802.1X", ethernet(eap), "wrong-identity"],
  ["no DHCP", ethernet(), "no-dhcp"],
  ["no cable", ethernet(), "unplugged"],
  ["no such adapter", { ...ethernet(), adapter: "eth9" }, "no-adapter"],
];

/** The conformance suite of `Network`: every end tells the same things apart, and prints no secret. */
export function networkSuite(
  name: string,
  inSituation: (situation: Situation, use: (network: Network) => Promise<void>) => Promise<void>,
): void {
  for (const [situation, written, kind] of asked)
    test(`${name}: ${situation}: connecting ends with ${kind}`, async () => {
      const request = ConnectRequest.parse(written);
      await inSituation(situation, async (network) => {
        const result = await network.connect(request);
        expect(result.kind).toBe(kind);
        const after = await network.state(request.adapter);
        expect(after.kind === "connected").toBe(kind === "connected");
        if (result.kind === "connected") expect(after).toEqual(result);
        await network.forget(request.adapter);
        expect((await network.state(request.adapter)).kind).not.toBe("connected");
        for (const secret of [SUITE_PASSPHRASE, WRONG])
          expect(JSON.stringify(result) + JSON.stringify(request)).not.toContain(secret);
      });
    });

  test(`${name}: adapters have the hardware's address, a scan tells names, kinds and bands, the strongest first`, async () => {
    await inSituation("well", async (network) => {
      expect(await network.adapters()).toEqual([
        { name: "eth0", kind: "ethernet", mac: "02:00:5e:10:00:01" },
        { name: "wlan0", kind: "wifi", mac: "02:00:5e:10:00:02" },
      ]);
      expect(await network.scan("wlan0")).toEqual({
        networks: [
          { ssid: "Ward 7: \\beds", security: "wpa2-psk", signalPercent: 82, bandGHz: 5 },
          { ssid: "staff", security: "802.1x", signalPercent: 60, bandGHz: 2.4 },
          { ssid: "labs", security: "sae", signalPercent: 41, bandGHz: 6 },
          { ssid: "guests", security: "open", signalPercent: 30, bandGHz: 2.4 },
        ],
        hidden: 1,
      });
    });
  });
}
