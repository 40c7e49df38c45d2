import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { ListThingPrincipalsCommand } from "@aws-sdk/client-iot";
import { Closing } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { mintCodes } from "../api/claims/mint.ts";
import { showDevice } from "../api/devices/show-device.ts";
import { completeAlone } from "../commissioning/technician/completion.ts";
import { lineConsole } from "../commissioning/terminal/line-console.ts";
import { walk } from "../commissioning/terminal/terminal.ts";
import { axeOn } from "./axe.ts";
import { browserTest, found } from "./browser.ts";
import { filesBelow } from "./files-below.ts";
import { type LocalRegion, startLocalRegion } from "./local-region.ts";
import { type NewDevice, newDevice, PAGE_CODE, PASSPHRASE } from "./technician-site.ts";

/** A technician in a cellar: the whole way, as a person goes it, in a real browser and in a terminal. */
let folder: string;
let region: LocalRegion;
let closing = new Closing();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "technician-"));
  region = await startLocalRegion(join(folder, "cloud"));
});
afterEach(async () => {
  await closing.close();
  closing = new Closing();
});
afterAll(async () => {
  if ("browser" in found) await found.browser.close();
  await region.cloud.close();
  await rm(folder, { recursive: true, force: true });
});

/** A hand's seconds: to think of an act, to point and press, and a key. @see Card, Moran, Newell: The keystroke-level model (1980) */
const THINK_S = 1.35;
const PRESS_S = 1.3;
const KEY_S = 0.28;
const WORDS_A_SECOND = 4;

/** Someone who reads every screen, types with one finger on a phone, and is slow by a model that is known. */
class Technician {
  readonly #page: Page;
  seconds = 0;

  constructor(page: Page) {
    this.#page = page;
  }

  async enter(url: string, code: string): Promise<void> {
    await this.#page.goto(url);
    await this.expectAccessible();
    await this.#page.fill("#code", code);
    this.seconds += code.length * KEY_S + 2 * (THINK_S + PRESS_S);
    await this.#page.click("button.primary");
    await this.#page.waitForSelector("h2");
  }

  async type(name: string, text: string): Promise<void> {
    await this.#page.fill(`#${name}`, text);
    this.seconds += THINK_S + PRESS_S + text.length * KEY_S;
  }

  async choose(label: string): Promise<void> {
    await this.#page.click(`label.option:has-text("${label}")`);
    this.seconds += THINK_S + PRESS_S;
  }

  /** Presses, and waits until it is done. */
  async press(label: string): Promise<void> {
    const page = this.#page;
    const words = (await page.textContent("main"))?.split(/\s+/).length ?? 0;
    this.seconds += words / WORDS_A_SECOND + THINK_S + PRESS_S;
    const began = performance.now();
    const before = await page.textContent("main");
    await page.click(`.buttons button:text-is("${label}")`);
    const main = page.locator("main");
    for (
      let waits = 0;
      (await main.textContent()) === before || (await main.getAttribute("aria-busy")) !== "false";
      waits++
    ) {
      if (waits > 2000) throw new Error(`“${label}” does nothing: ${before}`);
      await sleep(50);
    }
    this.seconds += (performance.now() - began) / 1000;
    await this.expectAccessible();
  }

  /** Nothing on this screen is in the way of who cannot see it, or not well. */
  async expectAccessible(): Promise<void> {
    expect(await axeOn(this.#page), (await this.#page.textContent("main")) ?? "").toEqual([]);
  }

  title(): Promise<string | null> {
    return this.#page.textContent("h2");
  }
  async bad(): Promise<string> {
    return (await this.#page.textContent(".note.bad")) ?? "";
  }
}

async function expectNothingLeft({ root, code }: NewDevice): Promise<void> {
  for (const { path, text } of await filesBelow(root))
    for (const secret of [code, code.replaceAll("-", ""), PASSPHRASE, PAGE_CODE])
      expect(text.includes(secret), `${path} holds ${secret}`).toBe(false);
}
/** What the operators' side was told: a topic rule takes it there, a moment later. */
async function expectRecord({ serial }: NewDevice, ...words: readonly string[]): Promise<void> {
  await vi.waitFor(
    async () => {
      const record = JSON.stringify(await showDevice(region.claims, { thing: serial }));
      for (const word of words) expect(record).toContain(word);
    },
    { timeout: 20_000, interval: 200 },
  );
}
const certificatesOf = async (thingName: string): Promise<number> =>
  ((await region.iot.send(new ListThingPrincipalsCommand({ thingName }))).principals ?? []).length;

browserTest(
  "nine steps in a browser on a phone, with every usual trouble on the way, in less than eight minutes of a technician",
  300_000,
  async (browser) => {
    const device = await newDevice(region, folder, "core-page", closing);
    const served = await device.serve();
    const { url } = served;
    const context = await browser.newContext({ viewport: { width: 360, height: 740 }, hasTouch: true });
    const view = await context.newPage();
    const problems: string[] = [];
    view.on("pageerror", (failure) => problems.push(String(failure)));
    const technician = new Technician(view);
    try {
      await technician.enter(url, PAGE_CODE);
      await technician.press("English");
      await technician.type("site", "st-mary");
      await technician.type("room", "cellar 2");
      await technician.type("technician", "Ada");
      await technician.press("Go on");
      expect(await technician.title()).toBe("Clock");
      await technician.press("Compare with this phone");
      expect(await technician.title()).toBe("Network");

      await technician.press("Choose a Wi-Fi network");
      await technician.choose("ward");
      await technician.press("Go on with this one");
      await technician.type("passphrase", "not the one");
      await technician.press("Connect");
      expect(await technician.bad()).toContain("ward");
      await technician.type("passphrase", PASSPHRASE);
      await technician.press("Connect");
      await technician.press("Go on");

      const port = region.cloud.ports.mqtt;
      device.site.change({ firewall: [{ port, does: "refuse" }] });
      await technician.press("Try the network");
      expect(await view.textContent("pre")).toMatch(new RegExp(`localhost +${port}/tcp`));
      device.site.change({ firewall: [] });
      await technician.press("Try again");
      await technician.press("Go on");

      await technician.press("Test the instruments");
      expect(await technician.title()).toBe("Calibration");
      await technician.press("The calibration before stays");

      await technician.type("code", "2222-2222-2222");
      await technician.press("Get the identity");
      expect(await technician.bad()).toContain("no claim code");
      await technician.type("code", device.code.toLowerCase());
      await technician.press("Get the identity");
      expect(await technician.title()).toBe("Label");
      await technician.press("Make the label");
      const png = await context.request.get(`${url}api/files/label.png`);
      expect((await png.body()).toString("latin1", 1, 4)).toBe("PNG");
      await technician.press("It is on the device");
      await technician.press("Make the report");
      expect(await view.textContent(".note.good")).toContain("in service");
      expect(problems).toEqual([]);
    } finally {
      await context.close();
      await served.close();
    }
    const minutes = (technician.seconds + device.linkMs() / 1000) / 60;
    console.log(
      `the technician's ${minutes.toFixed(1)} minutes, ${(device.linkMs() / 1000).toFixed(0)} s of them for links`,
    );
    expect(minutes).toBeLessThan(8);
    expect(await certificatesOf(device.serial)).toBe(1);
    await expectNothingLeft(device);
    await expectRecord(device, "Ada");
  },
);

test("the same way in a terminal, without a network: it finishes, and the identity comes by itself later", async () => {
  const device = await newDevice(region, folder, "core-terminal", closing);
  const [others] = await mintCodes(region.claims, { serial: "core-other", site: "st-mary", who: "ada" });
  device.site.change({ ethernet: { plugged: false }, accessPoints: [] });
  const began = performance.now();
  const { flow } = await device.power();
  const [input, output] = [new PassThrough(), new PassThrough()];
  let shown = "";
  output.on("data", (text) => (shown += String(text)));
  const console = lineConsole(input, output, false);
  const lines = [
    "1", // English
    "",
    "st-mary",
    "",
    "",
    "Bo",
    "",
    new Date().toISOString(), // clock
    "5", // finish without a network: cable, cable with 802.1X, fixed address, wifi, without
    "", // self-test
    "",
    "1",
    "1", // calibration: begin, instrument, fluid
    "",
    "", // flushed, filled
    "",
    "", // accept, finish
    "",
    others?.code, // kept: that of another device
    "",
    "", // label
    "", // report
  ];
  input.end(`${lines.join("\n")}\n`);
  expect(await walk(flow, console), shown).toBe("finished");
  const minutes = (performance.now() - began) / 60_000;
  expect(shown).toMatch(
    /1\/9 Language and site[\s\S]*3\/9 Network[\s\S]*9\/9 Report[\s\S]*This device is ready/,
  );
  expect(minutes).toBeLessThan(6);
  const files = await filesBelow(device.root);
  const holders = files.filter(({ text }) => text.includes(others?.code ?? "no code"));
  expect(holders.map(({ path, mode }) => [path.split("/").at(-1), mode])).toEqual([["claim-code", "600"]]);
  expect(await certificatesOf(device.serial).catch(() => 0)).toBe(0);
  // For sensor-reader, which runs as somebody else.
  const calibrations = files.filter(({ path }) =>
    path.endsWith("coalmine.SensorReader/site-calibrations.json"),
  );
  expect(calibrations.map(({ mode }) => mode)).toEqual(["644"]);

  // Its power went; somebody put a cable in; nobody is there, and the code was not this device's.
  const { device: alone, book, flow: again } = await device.power();
  const told: string[] = [];
  const stop = new AbortController();
  const completing = completeAlone(
    {
      device: alone,
      book,
      clock: { sleep: (_ms, signal) => systemClock.sleep(200, signal) },
      told: (sentence) => void told.push(sentence),
    },
    stop.signal,
  );
  await vi.waitFor(() => expect(told).toEqual([expect.stringContaining("serial")]), { timeout: 20_000 });
  expect(await certificatesOf(device.serial).catch(() => 0)).toBe(0);
  // It says so first, and then strikes the code out.
  await vi.waitFor(() =>
    expect(again.view.steps.find(({ name }) => name === "identity")?.state).toBe("open"),
  );
  // Somebody comes with the right one, and leaves it to the device again.
  again.go("identity");
  await again.act({ step: "identity", action: "later", values: { code: device.code } });
  await completing;
  expect(await certificatesOf(device.serial)).toBe(1);
  await expectNothingLeft(device);
  await expectRecord(device, "Bo", book.answers.sha256 ?? "no hash");
});
