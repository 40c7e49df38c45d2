import { type ConnectFailure, ConnectRequest, type Proxy, Secret } from "@coalmine/site";
import { nodeProbes } from "@coalmine/site/node-probes";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { PORTAL_PAGE, PROXY_HOST, PROXY_PORT } from "../../simulator/site/addresses.ts";
import { openSite, type SitePlan } from "../../simulator/site/site-plan.ts";
import { type SimulatedSite, startSite } from "../../simulator/site/simulated-site.ts";
import type { Finding } from "../doctor/finding.ts";
import { de } from "../texts/de.ts";
import { en } from "../texts/en.ts";
import { languages } from "../texts/languages.ts";
import { checkNetwork } from "./check-list.ts";
import { requestToIt } from "./it-request.ts";
import { networkList, portalWitness } from "./network-list.ts";
import { connectSaid, networkFinding } from "./sentences.ts";

const region = "eu-west-1";
const IOT = "a1b2-ats.iot.eu-west-1.amazonaws.com";
const CREDENTIALS = "c3d4.credentials.iot.eu-west-1.amazonaws.com";
const GREENGRASS = "greengrass-ats.iot.eu-west-1.amazonaws.com";
const endpoints = {
  region,
  iotDataEndpoint: IOT,
  mqttPort: 8883,
  iotCredEndpoint: CREDENTIALS,
  greengrassDataPlaneEndpoint: undefined,
  greengrassDataPlanePort: 8443,
};
const list = networkList(endpoints);
const plan: SitePlan = { ...openSite, hosts: list.map(({ host }) => host) };
const inspection = { authority: "Hospital Inspection CA", passes: [] };
const PASSWORD = "proxy-password";
const proxy: Proxy = {
  host: PROXY_HOST,
  port: PROXY_PORT,
  account: { user: "ward-7", password: new Secret(PASSWORD) },
};

let site: SimulatedSite;
beforeAll(async () => {
  const clock = { ...systemClock, sleep: async () => undefined };
  site = await startSite(
    { ...plan, inspection },
    { clock, wallClock: systemClock, random: new SeededRandom("list") },
  );
});
beforeEach(() => site.change(plan));
afterAll(() => site.close());

async function checked(changes: Partial<SitePlan> = {}, options: { proxy?: Proxy; waitMs?: number } = {}) {
  site.change(changes);
  await site.network.connect(ConnectRequest.parse({ adapter: "eth0", medium: { kind: "ethernet" } }));
  const { wire, deviceClock: clock, trust, network } = site;
  return checkNetwork({
    network,
    adapter: "eth0",
    list,
    trust,
    proxy: options.proxy,
    portalWitness: portalWitness(region),
    probes: nodeProbes({ wire, clock, waitMs: 20_000, portalTrust: [trust], ...options }),
  });
}
async function looked(...options: Parameters<typeof checked>) {
  return (await checked(...options)).map((check) => networkFinding(check, en));
}
/** All that is not well, in English. */
const failing = (findings: readonly Finding[]) =>
  Object.fromEntries(
    findings.flatMap((finding) =>
      finding.state === "failed" ? [[finding.check, `${finding.sentence} ${finding.remedy}`]] : [],
    ),
  );

test("the list has what AWS documents, with port 443 by its own protocol name, and China's names in China", () => {
  expect(list.map(({ host, port }) => `${host}:${port}`)).toEqual([
    `${IOT}:8883`,
    `${GREENGRASS}:8443`,
    `${CREDENTIALS}:443`,
    "s3.eu-west-1.amazonaws.com:443",
    "logs.eu-west-1.amazonaws.com:443",
    "time.aws.com:123",
  ]);
  expect(list[0]?.alpn).toBeUndefined();
  expect(networkList({ ...endpoints, mqttPort: 443 })[0]).toMatchObject({
    port: 443,
    alpn: "x-amzn-mqtt-ca",
  });
  const nucleus = { archive: "https://releases.example/greengrass-2.18.0.zip", sha256: "0".repeat(64) };
  expect(networkList({ ...endpoints, nucleus })[4]).toMatchObject({ host: "releases.example", port: 443 });
  expect(networkList({ ...endpoints, region: "cn-north-1" })[3]?.host).toBe("s3.cn-north-1.amazonaws.com.cn");
});

test("where nothing is in the way every line is well, and says its values", async () => {
  const findings = await looked();
  expect(failing(findings)).toEqual({});
  expect(findings).toHaveLength(15);
  expect(findings[0]?.sentence).toBe("eth0 has 10.20.0.77/24, gateway 10.20.0.1, name servers 10.20.0.2.");
  expect(findings.at(-1)).toMatchObject({ state: "ok" });
});

test("without a link only that is told", async () => {
  const findings = await looked({ ethernet: { plugged: false } });
  expect(Object.keys(failing(findings))).toEqual(["Link"]);
  expect(findings).toHaveLength(1);
});

test("a dropped and a refused port are told with the port to open, and nothing else fails", async () => {
  const findings = await looked(
    {
      firewall: [
        { port: 8883, does: "drop" },
        { port: 8443, does: "refuse" },
      ],
    },
    { waitMs: 3000 },
  );
  expect(failing(findings)).toEqual({
    [`${IOT}:8883 (MQTT)`]:
      "Nothing answers at 198.18.0.1 on port 8883 within 3 s: a firewall drops it. Ask IT to open TCP port 8883 to this host.",
    [`${GREENGRASS}:8443 (HTTPS)`]:
      "198.18.0.2 refuses connections to port 8443: nobody listens there, or a firewall says so. Ask IT to open TCP port 8443 to this host.",
  });
});

test("inspected TLS is told by its issuer, with the bypass to ask for", async () => {
  const failures = failing(await looked({ inspection }));
  expect(Object.keys(failures)).toHaveLength(5);
  expect(failures[`${IOT}:8883 (MQTT)`]).toMatch(
    /signed by "Hospital Inspection CA".*bypass of TLS inspection/,
  );
});

test("a sign-in page is told with its address, and what opens TLS in its name", async () => {
  const failures = failing(await looked({ captivePortal: true }, { waitMs: 3000 }));
  expect(failures["Sign-in page"]).toContain(PORTAL_PAGE);
  expect(failures["Sign-in page"]).toContain("let this MAC address in");
});

test("a silent name server and an unknown name are told by the name's line; its host is not checked", async () => {
  const failures = failing(await looked({ dns: false }, { waitMs: 600 }));
  expect(failures[`Name ${IOT}`]).toContain("No name server answers");
  site.change(plan);
  const hosts = plan.hosts.filter((host) => host !== CREDENTIALS);
  const unknown = await looked({ hosts });
  expect(Object.keys(failing(unknown))).toEqual([`Name ${CREDENTIALS}`]);
  expect(unknown.at(-3)).toMatchObject({ check: `${CREDENTIALS}:443 (HTTPS)`, state: "not checked" });
});

test("a clock that is an hour ahead is told in minutes, and a time server that is silent is another sentence", async () => {
  const ahead = failing(await looked({ deviceClockAheadMs: 3_600_000 }));
  expect(ahead).toEqual({
    "Time from time.aws.com":
      "The clock is 60 min ahead of time.aws.com. Set the clock; if it comes back, replace its battery.",
  });
  site.change(plan);
  const silent = failing(await looked({ time: "silent" }, { waitMs: 3000 }));
  expect(silent["Time from time.aws.com"]).toContain("open 123/udp");
});

test("a proxy that wants an account is told as that, and by the right one everything is reached", async () => {
  const account = { user: "ward-7", password: PASSWORD };
  const behind = { proxy: { account, isOnlyWay: true } };
  const { account: _, ...nobody } = proxy;
  const refused = failing(await looked(behind, { proxy: nobody, waitMs: 3000 }));
  expect(refused[`${IOT}:8883 (MQTT)`]).toMatch(/proxy .*:3128 refuses with 407.*user and a password/);
  const findings = await looked(behind, { proxy, waitMs: 3000 });
  expect(failing(findings)).toEqual({});
  // Plain HTTP does not leave the building: nothing is claimed about a portal.
  expect(findings.find(({ check }) => check === "Sign-in page")?.state).toBe("not checked");
  expect(JSON.stringify(findings)).not.toContain(PASSWORD);
});

test("why a link did not come up is told with its values and what to do, in every language", () => {
  const failures: readonly [ConnectFailure, string][] = [
    [{ kind: "wrong-passphrase", ssid: "Ward 7" }, "Ward 7"],
    [{ kind: "network-not-found", ssid: "Ward 7" }, "Ward 7"],
    [{ kind: "wrong-identity", identity: "dev-7" }, "dev-7"],
    [{ kind: "no-dhcp", adapter: "eth0" }, "eth0"],
    [{ kind: "unplugged", adapter: "eth0" }, "eth0"],
    [{ kind: "no-adapter", adapter: "eth9" }, "eth9"],
    [{ kind: "timed-out", waitedSeconds: 75 }, "75 s"],
    [{ kind: "not-connected", why: "so" }, "so"],
  ];
  for (const texts of Object.values(languages)) {
    const said = failures.map(([failure]) => connectSaid(failure, texts));
    for (const [index, [, value]] of failures.entries()) {
      expect(said[index]?.what).toContain(value);
      expect(said[index]?.todo).toMatch(/\.$/);
    }
    expect(new Set(said.map(({ what }) => what)).size).toBe(failures.length);
  }
  expect(new Set(Object.values(languages).map(({ language }) => language)).size).toBe(5);
});

test("every language tells the same values", async () => {
  const accounts = { proxy: { allows: [], isOnlyWay: true } };
  const { account: _, ...nobody } = proxy;
  const checks = [
    ...(await checked({ inspection })),
    ...(await checked({ ...plan, captivePortal: true }, { waitMs: 3000 })),
    ...(await checked({ ...plan, deviceClockAheadMs: -400 * 86_400_000 })),
    ...(await checked({ ...plan, ...accounts }, { proxy: nobody, waitMs: 3000 })),
    ...(await checked({ ...plan, firewall: [{ port: 443, does: "refuse" }] })),
  ];
  const numbers = (text: string) => text.match(/\d+/g)?.toSorted();
  for (const texts of Object.values(languages))
    for (const check of checks) {
      const told = networkFinding(check, texts);
      const english = networkFinding(check, en);
      expect(told.state).toBe(english.state);
      expect(numbers(told.check + told.sentence)).toEqual(numbers(english.check + english.sentence));
    }
});

test("the request to IT has hosts, ports, reasons, addresses and the names to bypass, and fits a mail", async () => {
  const findings = await looked({ inspection });
  const options = {
    serial: "core-7",
    site: "ward-7",
    adapters: await site.network.adapters(),
    list,
    findings,
    proxy: `${PROXY_HOST}:${PROXY_PORT}`,
  };
  const text = requestToIt(options, en);
  for (const part of [
    "core-7, ward-7",
    "MAC address (eth0): 02:00:5e:10:00:01",
    "8883/tcp  MQTT   measurements and commands",
    "*.s3.eu-west-1.amazonaws.com",
    "123/udp",
    `uses the proxy ${PROXY_HOST}:3128`,
    'signed by "Hospital Inspection CA"',
  ])
    expect(text).toContain(part);
  const bypass = text.slice(
    text.indexOf("bypass of TLS inspection for them"),
    text.indexOf("What does not work"),
  );
  expect(bypass.match(/^ {2}\S+$/gm)).toEqual([`  ${IOT}`, `  ${GREENGRASS}`, `  ${CREDENTIALS}`]);
  expect(requestToIt({ ...options, findings: [] }, de)).toContain("MAC-Adresse (eth0): 02:00:5e:10:00:01");

  site.change(plan);
  const hosts = plan.hosts.filter((host) => host !== CREDENTIALS);
  const unknown = requestToIt({ ...options, findings: await looked({ hosts }) }, en);
  expect(unknown.match(/does not know/g)).toHaveLength(1);
});
