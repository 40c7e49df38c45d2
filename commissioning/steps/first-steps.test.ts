import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Clock } from "@coalmine/ports";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import type { Proxy } from "@coalmine/site";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CertificateAuthority } from "../../simulator/cloud/identity/certificate-authority.ts";
import { SimulatedNetwork } from "../../simulator/site/simulated-network.ts";
import { openSite, type SitePlan } from "../../simulator/site/site-plan.ts";
import { filesBelow } from "../../test/files-below.ts";
import { type DurableFiles, durableFiles } from "../durable-files.ts";
import { authorityPem, PASSWORD, pkcs12 } from "../eap/eap-certificate.fixture.ts";
import { EapFiles } from "../eap/eap-files.ts";
import { AnswerBook } from "../flow/answers.ts";
import { Flow } from "../flow/flow.ts";
import type { StepName, Values } from "../flow/screen.ts";
import { keepProxy, readProxy } from "../proxy-file.ts";
import { ClockStep } from "./clock-step.ts";
import { NetworkStep } from "./network-step.ts";
import { SiteStep } from "./site-step.ts";

const START_MS = Date.UTC(2027, 0, 9, 8);
const plan: SitePlan = {
  ...openSite,
  accessPoints: [
    {
      ssid: "ward",
      signalPercent: 70,
      bandGHz: 2.4,
      security: { kind: "wpa2-psk", passphrase: "cellar 42!" },
    },
    {
      ssid: "clinic",
      signalPercent: 81,
      bandGHz: 5,
      security: { kind: "802.1x", accounts: [{ identity: "device-7", password: "s3cret-pw" }] },
    },
    {
      ssid: "lab",
      hidden: true,
      signalPercent: 60,
      bandGHz: 2.4,
      security: { kind: "sae", passphrase: "hidden-lab-pass" },
    },
  ],
};

let folder: string;
let answers: string;
let proxyFile: string;
let eapFolder: string;
let clock: DrivenClock;
let aheadMs: number;
let site: SitePlan;
let network: SimulatedNetwork;
let disk: DurableFiles;
let flow: Flow;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "steps-"));
  answers = join(folder, "answers.json");
  proxyFile = join(folder, "proxy.json");
  eapFolder = join(folder, "eap");
  clock = new DrivenClock(START_MS, () => new Promise(setImmediate));
  aheadMs = 0;
  disk = durableFiles;
  site = plan;
  network = new SimulatedNetwork(() => site, clock);
  flow = await powered();
});
afterEach(() => rm(folder, { recursive: true }));

/** The program as it starts on this device, also after a power cut. */
async function powered(): Promise<Flow> {
  const book = await AnswerBook.open(answers, {
    write: (...file) => disk.write(...file),
    erase: (path) => disk.erase(path),
  });
  const device: Clock = {
    now: () => clock.now() + aheadMs,
    monotonicMs: () => clock.monotonicMs(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    timer: (ms, fire) => clock.timer(ms, fire),
  };
  const set = async (to: number): Promise<void> => void (aheadMs = to - clock.now());
  const proxies = {
    find: () => readProxy(proxyFile),
    keep: (proxy: Proxy | undefined) => keepProxy(proxyFile, proxy, durableFiles),
  };
  const steps = [
    new SiteStep(book, "rheo-0042"),
    await ClockStep.open({
      book,
      clock: device,
      setClock: set,
      battery: async () => site.deviceClockBattery,
    }),
    await NetworkStep.open({
      book,
      network,
      proxies,
      eapFiles: new EapFiles(eapFolder, durableFiles),
      now: () => clock.now(),
    }),
  ];
  return new Flow(steps, () => book.answers.language ?? "en");
}
async function press(
  step: StepName,
  action: string,
  values: Values = {},
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  let isOver = false;
  const acting = flow.act({ step, action, values, files }).finally(() => (isOver = true));
  while (!isOver) {
    await clock.settle();
    const next = clock.next();
    // A handshake takes no time of this clock's.
    if (next === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    else await clock.runUntil(next);
  }
  await acting;
}
const bad = (): string | undefined => {
  const [first] = flow.view.blocks;
  return first?.kind === "note" && first.tone === "bad" ? `${first.text} ${first.detail ?? ""}` : undefined;
};
const buttons = (): string[] => flow.view.buttons.map(({ action }) => action);
async function toNetwork(): Promise<void> {
  await press("site", "language-en");
  await press("site", "keep", { site: "st-mary", technician: "Ada" });
  await press("clock", "check", { now: String(clock.now()) });
  expect(flow.view.step).toBe("network");
}
const choose = (ssid: string): Values => {
  const choice = flow.view.blocks.find((block) => block.kind === "choice");
  return { network: choice?.options.find(({ label }) => label === ssid)?.value ?? "" };
};

test("a clock that was never set stops the way until it is set from the phone; one that differs is asked about", async () => {
  await press("site", "language-en");
  await press("site", "keep", { site: "st-mary", technician: "Ada" });
  aheadMs = -clock.now();
  expect(buttons()).toEqual(["set"]);
  expect(JSON.stringify(flow.view.blocks)).toContain("never set");
  expect(() => flow.go("network")).toThrow("clock comes before network");
  await press("clock", "set", {});
  expect(bad()).toContain("what time it is");
  await press("clock", "set", { now: String(clock.now()) });
  expect([flow.view.step, Math.abs(aheadMs) < 60_000]).toEqual(["network", true]);

  aheadMs = 3 * 3_600_000;
  flow.go("clock");
  await press("clock", "check", { now: String(clock.now()) });
  expect(JSON.stringify(flow.view.blocks)).toContain("10800 s ahead of yours");
  expect(buttons()).toEqual(["set", "keep"]);
  await press("clock", "set", { now: new Date(clock.now()).toISOString() });
  expect(Math.abs(aheadMs)).toBeLessThan(60_000);

  // Its battery will not last, which stops nobody.
  site = { ...plan, deviceClockBattery: "low" };
  flow = await powered();
  flow.go("clock");
  expect(JSON.stringify(flow.view.blocks)).toContain("battery is low");
  expect(buttons()[0]).toBe("check");
});

test("a full disk is said on the page, nothing is taken for done, and with room the same button goes on", async () => {
  await press("site", "language-en");
  const typed = { site: "st-mary", technician: "Ada" };
  const full = Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  disk = { ...durableFiles, write: () => Promise.reject(full) };
  await press("site", "keep", typed);
  expect([flow.view.step, bad()]).toEqual(["site", expect.stringMatching(/The disk is full.*no room below/)]);
  disk = durableFiles;
  await press("site", "keep", typed);
  expect(flow.view.step).toBe("clock");
});

test("the strongest network first; a wrong passphrase, user or name is told apart, and the right one connects", async () => {
  await toNetwork();
  expect(JSON.stringify(flow.view.blocks)).toContain("02:00:5e:10:00:02");
  await press("network", "scan-wlan0");
  const choice = flow.view.blocks.find((block) => block.kind === "choice");
  expect(choice?.options.map(({ label, detail }) => [label, detail])).toEqual([
    ["clinic", "802.1X with user or certificate, 81 %, 5 GHz"],
    ["ward", "WPA2 with a passphrase, 70 %, 2.4 GHz"],
  ]);
  await press("network", "pick", {});
  expect(bad()).toContain("Choose a network");
  await press("network", "pick", choose("ward"));
  await press("network", "join", { passphrase: "short" });
  expect(bad()).toContain("8 to 63");
  await press("network", "join", { passphrase: "wrong passphrase" });
  expect(bad()).toMatch(/"ward" refuses the passphrase/);
  await press("network", "join", { passphrase: "cellar 42!" });
  expect([bad(), buttons()[0]]).toEqual([undefined, "keep"]);

  await press("network", "scan-wlan0");
  await press("network", "pick", choose("clinic"));
  await press("network", "join", { identity: "device-8", passphrase: "s3cret-pw" });
  expect(bad()).toMatch(/does not let "device-8" in/);
  await press("network", "join", { identity: "device-7", passphrase: "s3cret-pw" });
  expect(buttons()[0]).toBe("keep");

  await press("network", "scan-wlan0");
  await press("network", "hidden");
  await press("network", "join", { ssid: "lob", security: "sae", passphrase: "hidden-lab-pass" });
  expect(bad()).toMatch(/"lob" is not found here/);
  await press("network", "join", { ssid: "lab", security: "sae", passphrase: "hidden-lab-pass" });
  expect(buttons()[0]).toBe("keep");
  await press("network", "keep");
  expect(flow.view.steps.map(({ state }) => state)).toEqual(["done", "done", "done"]);
  const kept = await readFile(answers, "utf8");
  for (const secret of ["cellar 42!", "wrong passphrase", "s3cret-pw", "hidden-lab-pass"])
    expect(kept).not.toContain(secret);
});

test("by cable: without DHCP a fixed address is asked for; without any network it can be finished later, also after a power cut", async () => {
  site = { ...plan, dhcp: false };
  await toNetwork();
  await press("network", "cable-eth0");
  expect(bad()).toMatch(/Nobody gives eth0 an address/);
  await press("network", "static-eth0");
  await press("network", "use-static", { address: "10.9.8", gateway: "10.9.8.1", dns: "10.9.8.1" });
  expect(bad()).toContain("addressing.address");
  await press("network", "use-static", {
    address: "10.9.8.7/24",
    gateway: "10.9.8.1",
    dns: "10.9.8.1 10.9.8.2",
  });
  expect(buttons()[0]).toBe("keep");
  site = { ...plan, ethernet: { plugged: false } };
  flow = await powered();
  expect(flow.view.step).toBe("network");
  await press("network", "cable-eth0");
  expect(bad()).toMatch(/No cable is connected to eth0/);
  await press("network", "without");
  flow = await powered();
  expect(flow.view.steps.map(({ state }) => state)).toEqual(["done", "done", "later"]);
});

test("a Wi-Fi network without DHCP is joined with a fixed address", async () => {
  site = { ...plan, dhcp: false };
  await toNetwork();
  await press("network", "scan-wlan0");
  await press("network", "pick", choose("ward"));
  await press("network", "join", { passphrase: "cellar 42!" });
  expect(bad()).toMatch(/Nobody gives wlan0 an address/);
  await press("network", "fixed");
  const typed = { passphrase: "cellar 42!", address: "10.9.8.7/24", gateway: "10.9.8.1", dns: "10.9.8.1" };
  await press("network", "join", { ...typed, address: "10.9.8" });
  expect(bad()).toContain("addressing.address");
  await press("network", "join", typed);
  expect([bad(), buttons()[0]]).toEqual([undefined, "keep"]);
});

test("802.1X by a certificate, by air and by cable: what cannot work is said before the network is asked; what works is kept for its owner alone, what does not is not", async () => {
  const random = new SeededRandom("hospital");
  const own = await CertificateAuthority.open({ random, wallClock: systemClock });
  const radius = own.serverCertificate("radius.hospital.example");
  const accounts = [{ identity: "device-7" }];
  site = {
    ...plan,
    accessPoints: [{ ssid: "clinic", signalPercent: 81, bandGHz: 5, security: { kind: "802.1x", accounts } }],
    ethernet: { plugged: true, accounts },
    authenticationServer: { ...radius, believes: authorityPem },
  };
  const base64 = (content: string | Uint8Array) => Buffer.from(content).toString("base64");
  const files = { certificate: base64(pkcs12) };
  const typed = { identity: "device-7", "key-password": PASSWORD };
  const kept = async () =>
    (await filesBelow(folder))
      .filter(({ path }) => path.startsWith(eapFolder))
      .map(({ path, mode }) => `${basename(path)} ${mode}`)
      .toSorted();
  await toNetwork();
  await press("network", "guarded-eth0");
  await press("network", "by-certificate");
  await press("network", "join", typed);
  expect(bad()).toContain("Certificate");
  await press("network", "join", { ...typed, "key-password": "no" }, files);
  expect(bad()).toMatch(/password does not open the file/);
  expect(await kept()).toEqual([]);
  await press("network", "join", { ...typed, identity: "device-8" }, files);
  expect(bad()).toMatch(/does not let "device-8" in/);
  expect(await kept()).toEqual([]);
  // The building's server is signed by another authority than the one that was handed over.
  await press("network", "join", typed, { ...files, authority: base64(authorityPem) });
  expect(bad()).toMatch(/does not let "device-7" in/);
  expect(await kept()).toEqual([]);
  await press("network", "join", typed, { ...files, authority: base64(own.certificatePem) });
  expect([bad(), buttons()[0]]).toEqual([undefined, "keep"]);
  expect(await kept()).toEqual(["authority.pem 600", "client.p12 600"]);

  await press("network", "scan-wlan0");
  await press("network", "pick", choose("clinic"));
  await press("network", "by-certificate");
  await press("network", "join", typed, files);
  expect((await kept()).length).toBe(3);
  await press("network", "keep");
  for (const { path, text } of await filesBelow(folder)) expect(text, path).not.toContain(PASSWORD);
  expect(JSON.stringify(flow.view)).not.toContain(files.certificate.slice(0, 40));
  // Another way in: what the last one needed is gone.
  site = plan;
  flow.go("network");
  await press("network", "cable-eth0");
  expect(await kept()).toEqual(["client.p12 600"]);
});

test("a proxy is kept where its owner alone reads it, shown without its password, and refused where it cannot be one", async () => {
  await toNetwork();
  await press("network", "proxy");
  const typed = {
    "proxy-host": "proxy.ward.example",
    "proxy-port": "3128",
    exceptions: "10.1.2.3, s3.local",
  };
  await press("network", "use-proxy", { ...typed, "proxy-port": "0" });
  expect(bad()).toContain("port:");
  await press("network", "use-proxy", { ...typed, "proxy-host": "http://proxy" });
  expect(bad()).toContain("host: a host name");
  await press("network", "use-proxy", { ...typed, "proxy-user": "a:b", "proxy-password": "pr0xy-pw" });
  expect(bad()).toContain("account.user: no colon");
  expect(bad()).not.toContain("pr0xy-pw");
  await press("network", "use-proxy", { ...typed, "proxy-user": "ward", "proxy-password": "pr0xy-pw" });
  expect(bad()).toBeUndefined();
  expect((await stat(proxyFile)).mode & 0o777).toBe(0o600);

  flow = await powered();
  expect(JSON.stringify(flow.view.blocks)).toContain("proxy.ward.example:3128");
  await press("network", "proxy");
  expect(JSON.stringify(flow.view)).toContain("10.1.2.3, s3.local");
  expect(JSON.stringify(flow.view) + (await readFile(answers, "utf8"))).not.toContain("pr0xy-pw");
  expect((await readProxy(proxyFile))?.account?.password.reveal()).toBe("pr0xy-pw");
  await press("network", "no-proxy");
  expect(await readProxy(proxyFile)).toBeUndefined();
});
