import { expect, test } from "vitest";
import { ConnectRequest } from "./connect-request.ts";
import { networkManager } from "./network-manager.ts";
import { networkSuite, type Situation, SUITE_PASSPHRASE } from "./network-suite.ts";
import type { Ended, RunProgram } from "./program.ts";
import { systemProgram } from "./system-program.ts";

/** What nmcli 1.42 said with a switch, a DHCP server and an authentication server; Wi-Fi's in its own words. */
const refusals: Readonly<Partial<Record<Situation, string>>> = {
  "wrong passphrase": "Secrets were required, but not provided",
  "no such network": "The Wi-Fi network could not be found",
  "wrong password of 802.1X": "Secrets were required, but not provided",
  "no DHCP": "IP configuration could not be reserved (no available address, timeout, etc.)",
};
const HINT = "\nHint: use 'journalctl -xe NM_CONNECTION=c0c444ed + NM_DEVICE=eth0' to get more details.\n";
const scanned = `Ward 7\\: \\\\beds:61:2437 MHz:WPA1 WPA2
Ward 7\\: \\\\beds:82:5180 MHz:WPA2
staff:60:2412 MHz:WPA2 802.1X
:55:2412 MHz:WPA2
guests:30:2462 MHz:
labs:41:5975 MHz:WPA3
`;
const connected = `GENERAL.DEVICE:wlan0
GENERAL.HWADDR:CA:11:3B:28:C8:5C
GENERAL.STATE:100 (connected)
GENERAL.REASON:0 (No reason given)
IP4.ADDRESS[1]:10.9.8.24/24
IP4.GATEWAY:10.9.8.1
IP4.ROUTE[1]:dst = 10.9.8.0/24, nh = 0.0.0.0, mt = 101
IP4.DNS[1]:10.9.8.1
IP4.DNS[2]:10.9.8.2
DHCP4.OPTION[1]:broadcast_address = 10.9.8.255
DHCP4.OPTION[2]:v4_captive_portal = https://portal.example/api
`;
const state = (number: number, carrier = "on") =>
  `GENERAL.STATE:${number} (so)\nWIRED-PROPERTIES.CARRIER:${carrier}\nIP4.GATEWAY:\n`;
const ok = (stdout = ""): Ended => ({ code: 0, stdout, stderr: "" });
const refused = (code: number, stderr: string): Ended => ({ code, stdout: "", stderr });

interface Call {
  readonly line: string;
  readonly stdin: string | undefined;
}

/** nmcli and ip as they were recorded, one situation each; keeps which profiles there are, as NetworkManager does. */
function recorded(situation: Situation): { run: RunProgram; calls: Call[]; profiles: Set<string> } {
  const calls: Call[] = [];
  const profiles = new Set<string>();
  let isUp = false;
  const run: RunProgram = async (command, args, { stdin } = {}) => {
    const line = [command, ...args].join(" ");
    calls.push({ line, stdin });
    const macOf = /^ip -j link show dev (eth0|wlan0)$/.exec(line)?.[1];
    if (macOf === "eth0") return ok('[{"ifname":"eth0","address":"02:00:5e:10:00:01"}]');
    if (macOf === "wlan0") return ok('[{"address":"5a:1f:00:99:00:01","permaddr":"02:00:5e:10:00:02"}]');
    if (line.includes("device status"))
      return ok(
        "eth0:ethernet:connected\nwlan0:wifi:disconnected\nveth1:ethernet:unmanaged\nlo:loopback:unmanaged\n",
      );
    if (line.includes("wifi list")) return ok(scanned);
    if (line.includes("device show eth9")) return refused(10, "Error: Device 'eth9' not found.\n");
    if (line.includes("device show"))
      return ok(isUp ? connected : situation === "no cable" ? state(20, "off") : state(30));
    const [, name = ""] = /(coalmine-\w+)/.exec(line) ?? [];
    if (line.includes("connection delete")) {
      isUp = false;
      return profiles.delete(name) ? ok() : refused(10, `Error: unknown connection '${name}'.\n`);
    }
    if (line.includes("connection add")) profiles.add(name);
    if (line.includes("connection up")) {
      const why = refusals[situation];
      if (why !== undefined) return refused(4, `Error: Connection activation failed: ${why}${HINT}`);
      isUp = true;
    }
    return ok();
  };
  return { run, calls, profiles };
}

networkSuite("NetworkManager", (situation, use) => use(networkManager(recorded(situation).run)));

const wifi = (security: object) =>
  ConnectRequest.parse({ adapter: "wlan0", medium: { kind: "wifi", ssid: "Ward 7", security } });

test("the lease has addresses, gateway, name servers and where the portal tells of itself", async () => {
  const { run } = recorded("well");
  const request = wifi({ kind: "wpa2-psk", passphrase: SUITE_PASSPHRASE });
  expect(await networkManager(run).connect(request)).toEqual({
    kind: "connected",
    lease: {
      addresses: ["10.9.8.24/24"],
      gateway: "10.9.8.1",
      dns: ["10.9.8.1", "10.9.8.2"],
      portalApi: "https://portal.example/api",
    },
  });
});

test("no secret stands in an argument: they go to nmcli's standard input, and a refused link leaves no profile", async () => {
  const secrets = [
    wifi({ kind: "wpa2-psk", passphrase: "hunter22hunter" }),
    wifi({ kind: "sae", passphrase: "hunter22hunter" }),
    wifi({ kind: "802.1x", eap: { kind: "peap", identity: "dev-7", password: "hunter22hunter" } }),
    wifi({
      kind: "802.1x",
      eap: {
        kind: "tls",
        identity: "dev-7",
        certificateFile: "/c.p12",
        privateKeyFile: "/c.p12",
        privateKeyPassword: "hunter22hunter",
      },
    }),
  ];
  for (const request of secrets) {
    const { run, calls, profiles } = recorded("wrong passphrase");
    const result = await networkManager(run).connect(request);
    expect(["wrong-passphrase", "wrong-identity"]).toContain(result.kind);
    expect(calls.map(({ line }) => line).join("\n")).not.toContain("hunter22");
    const given = calls.filter(({ stdin }) => stdin !== undefined);
    expect(given).toEqual([
      {
        line: "nmcli --wait 75 connection up coalmine-wlan0 passwd-file /dev/stdin",
        stdin: expect.stringContaining("hunter22hunter\n") as string,
      },
    ]);
    expect([...profiles]).toEqual([]);
  }
});

test("a link that came up comes up by itself from then on; one attempt at authentication before", async () => {
  const { run, calls, profiles } = recorded("well");
  await networkManager(run).connect(wifi({ kind: "open" }));
  const lines = calls.map(({ line }) => line);
  expect(lines.find((line) => line.includes("connection add"))).toMatch(
    /autoconnect no connection.auth-retries 1/,
  );
  expect(lines.at(-2)).toBe(
    "nmcli connection modify coalmine-wlan0 connection.autoconnect yes connection.auth-retries -1",
  );
  expect([...profiles]).toEqual(["coalmine-wlan0"]);
});

test("hidden networks, static addresses and a certificate's identity are settings of the profile", async () => {
  const { run, calls } = recorded("well");
  const tls = { kind: "tls", identity: "dev-7", certificateFile: "/c.pem", privateKeyFile: "/k.pem" };
  await networkManager(run).connect(
    ConnectRequest.parse({
      adapter: "wlan0",
      medium: { kind: "wifi", ssid: "staff", hidden: true, security: { kind: "802.1x", eap: tls } },
      addressing: { kind: "static", address: "10.1.2.3/24", gateway: "10.1.2.1", dns: ["10.1.2.1"] },
    }),
  );
  const added = calls.find(({ line }) => line.includes("connection add"))?.line;
  expect(added).toContain("802-11-wireless.hidden yes");
  expect(added).toContain("802-1x.eap tls 802-1x.identity dev-7 802-1x.auth-timeout 25");
  expect(added).toContain("802-1x.client-cert /c.pem 802-1x.private-key /k.pem");
  expect(added).toContain(
    "ipv4.method manual ipv4.addresses 10.1.2.3/24 ipv4.gateway 10.1.2.1 ipv4.dns 10.1.2.1",
  );
});

test("who no longer waits leaves no profile", async () => {
  const { run, profiles } = recorded("well");
  const stop = new AbortController();
  const waiting: RunProgram = async (command, args, options) => {
    if (!args.includes("up")) return run(command, args, options);
    stop.abort(new Error("no longer wanted"));
    options?.signal?.throwIfAborted();
    return run(command, args, options);
  };
  await expect(networkManager(waiting).connect(wifi({ kind: "open" }), stop.signal)).rejects.toThrow(
    "no longer wanted",
  );
  expect([...profiles]).toEqual([]);
});

test("a wait that ends, a supplicant that is missing and an unknown reason are no wrong passphrase", async () => {
  const upFails = (ended: Ended) => {
    const { run } = recorded("well");
    const failing: RunProgram = async (command, args, options) =>
      args.includes("up") ? ended : run(command, args, options);
    return networkManager(failing).connect(wifi({ kind: "wpa2-psk", passphrase: "hunter22hunter" }));
  };
  expect(await upFails(refused(3, "Error: Timeout expired (75 seconds)\n"))).toEqual({
    kind: "timed-out",
    waitedSeconds: 75,
  });
  expect(
    await upFails(refused(4, "Error: Connection activation failed: 802.1X supplicant failed\n")),
  ).toEqual({ kind: "not-connected", why: "802.1X supplicant failed" });
  expect(await upFails(refused(4, "Error: Connection activation failed: The device disappeared\n"))).toEqual({
    kind: "no-adapter",
    adapter: "wlan0",
  });
});

test("without nmcli, or with NetworkManager stopped, the sentence says what to do", async () => {
  const ending = (code: number) => networkManager(async () => refused(code, "")).adapters();
  await expect(ending(127)).rejects.toThrow("apt install network-manager");
  await expect(ending(8)).rejects.toThrow("systemctl enable --now NetworkManager");
  await expect(ending(1)).rejects.toThrow(/nmcli .*device status ends with 1/);
});

test("programs speak English in UTF-8; what they read from /dev/stdin is what was given; a missing one ends with 127", async () => {
  const read = await systemProgram(
    "sh",
    ["-c", 'echo "$LC_ALL$LANGUAGE"; cat "$1"; exit 4', "sh", "/dev/stdin"],
    {
      stdin: "802-1x.password:x\n",
    },
  );
  expect(read).toEqual({ code: 4, stdout: "C.UTF-8\n802-1x.password:x\n", stderr: "" });
  expect((await systemProgram("no-such-program-here", [])).code).toBe(127);
  expect((await systemProgram("no-such-program-here", [], { stdin: "x" })).code).toBe(127);
  const stop = new AbortController();
  const running = systemProgram("sleep", ["60"], { signal: stop.signal });
  stop.abort(new Error("no longer wanted"));
  await expect(running).rejects.toThrow("no longer wanted");
});
