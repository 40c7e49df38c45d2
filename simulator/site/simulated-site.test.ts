import { ConnectRequest, type Proxy, Secret } from "@coalmine/site";
import { nodeProbes } from "@coalmine/site/node-probes";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { PORTAL_API, PORTAL_PAGE, PROXY_HOST, PROXY_PORT } from "./addresses.ts";
import { openSite, type SitePlan } from "./site-plan.ts";
import { type SimulatedSite, startSite } from "./simulated-site.ts";

const IOT = "a1b2-ats.iot.eu-west-1.amazonaws.com";
const S3 = "s3.eu-west-1.amazonaws.com";
const TIME = "time.aws.com";
/** Of what has to be silent; what answers has as long as a busy machine takes. */
const SILENCE_MS = 300;
const ANSWER_MS = 20_000;
const PASSWORD = "proxy-password";
const plan: SitePlan = {
  ...openSite,
  hosts: [IOT, S3, TIME],
  inspection: undefined,
};
const inspection = { authority: "Hospital Inspection CA", passes: [] };

let site: SimulatedSite;

beforeAll(async () => {
  // Links need no time here: their own test has them on a driven clock.
  const clock = { ...systemClock, sleep: async () => undefined };
  site = await startSite(
    { ...plan, inspection },
    { clock, wallClock: systemClock, random: new SeededRandom("site") },
  );
});
beforeEach(async () => {
  site.change(plan);
  await connect();
});
afterAll(() => site.close());

async function connect(addressing: object = { kind: "dhcp" }) {
  const medium = { kind: "ethernet" };
  return site.network.connect(ConnectRequest.parse({ adapter: "eth0", medium, addressing }));
}

function probes(options: { proxy?: Proxy; waitMs?: number } = {}) {
  const { wire, deviceClock: clock, trust } = site;
  return nodeProbes({ wire, clock, waitMs: ANSWER_MS, portalTrust: [trust], ...options });
}
const brief = { waitMs: SILENCE_MS };
const mqtt = (port = 8883) => ({
  host: IOT,
  port,
  trust: site.trust,
  alpn: port === 443 ? "x-amzn-mqtt-ca" : undefined,
});
const proxy = (password = PASSWORD): Proxy => ({
  host: PROXY_HOST,
  port: PROXY_PORT,
  account: { user: "ward-7", password: new Secret(password) },
});
const account = { user: "ward-7", password: PASSWORD };

test("where nothing is in the way: names, ports, TLS, time and gateway all answer", async () => {
  const probe = probes();
  expect(await probe.resolve(IOT)).toEqual({ kind: "resolved", addresses: ["198.18.0.1"] });
  expect(await probe.open(IOT, 8443)).toMatchObject({ kind: "open" });
  for (const port of [8883, 443])
    expect(await probe.handshake(mqtt(port))).toMatchObject({
      kind: "trusted",
      chain: [
        { subject: IOT, issuer: "Amazon Root CA, simulated", names: [IOT] },
        { subject: "Amazon Root CA, simulated" },
      ],
    });
  expect(await probe.portal(S3, "x-amz-request-id")).toEqual({ kind: "none" });
  const told = await probe.time(TIME);
  expect(told).toMatchObject({ kind: "answered", stratum: 2 });
  expect(told.kind === "answered" && Math.abs(told.aheadMs) < 100 + told.roundTripMs).toBe(true);
  expect(await probe.gateway("10.20.0.1")).toEqual({ kind: "there" });
});

test("no link, a gateway of elsewhere and an absent one are no way, each by its address", async () => {
  await connect({ kind: "static", address: "10.9.0.7/24", gateway: "10.9.0.1", dns: ["10.20.0.2"] });
  expect(await probes().open(IOT, 443)).toEqual({ kind: "no-route", address: "198.18.0.1" });
  expect(await probes().gateway("10.9.0.1")).toEqual({ kind: "absent", address: "10.9.0.1" });
  await site.network.disconnect("eth0");
  expect(await probes().open(IOT, 443)).toEqual({ kind: "no-dns", name: IOT, servers: [] });
  expect(await probes().open("198.18.0.1", 443)).toEqual({ kind: "no-route", address: "198.18.0.1" });
});

test("a name server that is silent and a name that it does not know are told apart", async () => {
  expect(await probes().resolve("nowhere.example")).toMatchObject({ kind: "unknown-name" });
  site.change({ dns: false });
  expect(await probes(brief).resolve(IOT)).toMatchObject({ kind: "no-dns", name: IOT });
});

test("a port that is refused and one that is dropped are told apart, and other ports are free", async () => {
  site.change({
    firewall: [
      { port: 8883, does: "drop" },
      { host: IOT, port: 8443, does: "refuse" },
    ],
  });
  const address = "198.18.0.1";
  expect(await probes(brief).open(IOT, 8883)).toEqual({
    kind: "silent",
    address,
    port: 8883,
    waitedMs: SILENCE_MS,
  });
  expect(await probes(brief).handshake(mqtt())).toMatchObject({ kind: "silent" });
  const probe = probes();
  expect(await probe.open(IOT, 8443)).toEqual({ kind: "refused", address, port: 8443 });
  expect(await probe.open(IOT, 443)).toMatchObject({ kind: "open" });
  expect(await probe.open(S3, 8443)).toMatchObject({ kind: "open" });
});

test("opened TLS is told by who signed it, and a host that passes is not opened", async () => {
  site.change({ inspection });
  expect(await probes().handshake(mqtt())).toMatchObject({
    kind: "intercepted",
    issuer: "Hospital Inspection CA",
    chain: [{ subject: IOT }, { subject: "Hospital Inspection CA" }],
  });
  site.change({ inspection: { ...inspection, passes: [IOT] } });
  expect(await probes().handshake(mqtt())).toMatchObject({ kind: "trusted" });
});

test("a captive portal is told by its page, over plain HTTP and by what DHCP says (RFC 8910)", async () => {
  expect(await probes().portalApi(PORTAL_API)).toEqual({ kind: "free" });
  site.change({ captivePortal: true });
  await connect();
  const state = await site.network.state("eth0");
  expect(state).toMatchObject({ kind: "connected", lease: { portalApi: PORTAL_API } });
  const probe = probes();
  expect(await probe.portal(S3, "x-amz-request-id")).toEqual({
    kind: "captive-portal",
    status: 302,
    page: PORTAL_PAGE,
  });
  expect(await probe.portalApi(PORTAL_API)).toEqual({ kind: "captive-portal", page: PORTAL_PAGE });
  expect(await probe.handshake(mqtt(443))).toMatchObject({ kind: "intercepted" });
  expect(await probes(brief).open(IOT, 8883)).toMatchObject({ kind: "silent" });
  expect(await probe.portalApi("http://portal.hospital.example/")).toMatchObject({ kind: "no-answer" });
});

test("by a proxy: TLS ends at the real server; without it nothing leaves the building", async () => {
  site.change({ proxy: { account, isOnlyWay: true } });
  expect(await probes(brief).open(IOT, 443)).toMatchObject({ kind: "silent" });
  expect(await probes({ proxy: proxy() }).handshake(mqtt(443))).toMatchObject({ kind: "trusted" });
  expect(site.proxied).toEqual(new Set([`${IOT}:443`]));
  const exempt = { ...proxy(), exceptions: [IOT.toUpperCase()] };
  expect(await probes({ ...brief, proxy: exempt }).open(IOT, 443)).toMatchObject({ kind: "silent" });
});

test("a proxy that wants an account, one that forbids a host, one that cannot get out, and none at all", async () => {
  const by = (password?: string, waitMs = ANSWER_MS) => probes({ proxy: proxy(password), waitMs });
  const name = `${PROXY_HOST}:${PROXY_PORT}`;
  site.change({ proxy: { account, allows: [S3, "elsewhere.example"], isOnlyWay: true } });
  expect(await by("wrong").open(S3, 443)).toEqual({ kind: "proxy-refuses", proxy: name, status: 407 });
  expect(await by().open(IOT, 8883)).toEqual({ kind: "proxy-refuses", proxy: name, status: 403 });
  expect(await by().open("elsewhere.example", 443)).toMatchObject({ kind: "proxy-refuses", status: 504 });
  site.change({ proxy: undefined });
  expect(await by(PASSWORD, SILENCE_MS).open(S3, 443)).toMatchObject({
    kind: "proxy-unreachable",
    proxy: name,
    why: { kind: "silent" },
  });
  expect(JSON.stringify(proxy())).not.toContain(PASSWORD);
});

test("a wrong clock is measured against the network's time, and told by a certificate's dates", async () => {
  const hourMs = 3_600_000;
  site.change({ deviceClockAheadMs: hourMs });
  const told = await probes().time(TIME);
  expect(told.kind === "answered" && Math.round(told.aheadMs / 60_000)).toBe(60);
  site.change({ deviceClockAheadMs: -systemClock.now() + 1000 * hourMs });
  expect(await probes().handshake(mqtt())).toMatchObject({ kind: "not-yet-valid" });
  const in1970 = await probes().time(TIME);
  expect(in1970.kind === "answered" && Math.round(in1970.aheadMs / hourMs)).toBe(
    Math.round(1000 - systemClock.now() / hourMs),
  );
  site.change({ deviceClockAheadMs: 400 * 24 * hourMs });
  expect(await probes().handshake(mqtt())).toMatchObject({ kind: "expired" });
});

test("time servers that are silent, and that do not know the time, are told apart", async () => {
  site.change({ time: "silent" });
  expect(await probes(brief).time(TIME)).toEqual({ kind: "no-time", server: TIME, waitedMs: SILENCE_MS });
  site.change({ time: "right", firewall: [{ port: 123, does: "drop" }] });
  expect(await probes(brief).time(TIME)).toMatchObject({ kind: "no-time" });
  site.change({ time: "unsynchronised", firewall: [] });
  expect(await probes().time(TIME)).toEqual({ kind: "unsynchronised", server: TIME });
});

test("a port that is open and speaks no TLS is told, and so is a certificate of another name", async () => {
  expect(await probes().handshake({ ...mqtt(), port: 80 })).toMatchObject({ kind: "no-tls" });
  expect(await probes().handshake({ ...mqtt(), host: "198.18.0.1" })).toMatchObject({
    kind: "wrong-name",
  });
});
