import { afterAll, afterEach, beforeAll, expect, vi } from "vitest";
import type { Page } from "playwright-core";
import { axeOn } from "./axe.ts";
import { browserTest, found } from "./browser.ts";
import { ConsolePage } from "./console-page.ts";
import { consolePlaces, type ConsoleSite } from "./console-site.ts";

/** What an operator does with the console, by keyboard, and what it makes of bad links and old sessions. */
let at: ConsolePage;
let site: ConsoleSite;
let page: Page;
beforeAll(async () => {
  if (!("browser" in found)) return;
  at = await ConsolePage.start(found.browser);
  ({ site, page } = at);
});
afterEach(() => {
  if ("browser" in found) site.role = "operator";
});
afterAll(async () => {
  if (!("browser" in found)) return;
  await site.close();
  await found.browser.close();
});

/** Of a time in a table, as a field takes it; both are on the same zone's clock. */
const minuteOf = (text: string): string => new Date(`${text} UTC`).toISOString().slice(0, 16);

browserTest(
  "from the link to a reasoned promotion, by keyboard alone, in at most eight actions",
  120_000,
  async () => {
    let actions = 0;
    const press = async (key: string): Promise<void> => {
      actions++;
      await page.keyboard.press(key);
    };
    actions++;
    await at.open("rollout");
    expect(await page.textContent(".headline")).toContain("waits for you to promote it");
    await press("p");
    await page.waitForSelector("dialog[open]");
    const dialog = await page.textContent("dialog");
    expect(dialog).toContain("68 devices get another revision");
    expect(dialog).toContain("coalmine.SensorReader 1.4.2 → 1.5.0");
    expect(await axeOn(page)).toEqual([]);
    // Without a reason nothing happens.
    await page.keyboard.press("Enter");
    await page.waitForSelector("#reason-problem");
    expect(site.decided).toEqual([]);
    await press("Space");
    await press("Enter");
    await page.waitForSelector(".note.good");
    expect(site.decided).toMatchObject([
      { decision: "promote", reason: expect.stringContaining("evidence") },
    ]);
    // The page asks anew once it is told that it is done.
    await at.until("document.querySelector('.headline').textContent.includes('Going to the main fleet')");
    console.log(`from the link to a reasoned promotion: ${actions} actions`);
    expect(actions).toBeLessThanOrEqual(8);
  },
);

browserTest(
  "two operators at once: the second is told that it moved, and nothing is done twice",
  60_000,
  async () => {
    await at.open("rollout");
    await page.keyboard.press("h");
    await page.keyboard.press("Space");
    site.world.rollout = { ...site.world.rollout, state: "moved by another" };
    const before = site.decided.length;
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog .note.bad");
    expect(await page.textContent("dialog .note.bad")).toContain("it has moved on");
    await page.keyboard.press("Escape");
    expect(site.decided.length).toBe(before);
  },
);

browserTest(
  "rolling back shows what goes back and where, and takes a reason in one's own words; holding changes no device",
  60_000,
  async () => {
    await at.open("rollout");
    await page.keyboard.press("h");
    await page.waitForSelector("dialog[open]");
    expect(await page.textContent("dialog")).toContain("No device gets another revision");
    await page.keyboard.press("Escape");
    await page.keyboard.press("r");
    await page.waitForSelector("dialog[open]");
    const dialog = await page.textContent("dialog");
    for (const part of [
      "12 devices get another revision",
      "coalmine.SensorReader 1.5.0 → 1.4.2",
      "has to report",
    ])
      expect(dialog).toContain(part);
    await page.getByLabel("Harm is shown").check();
    await page.getByLabel("In your words").fill("two wards called");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".note.good");
    expect(site.decided.at(-1)).toMatchObject({
      decision: "rollback",
      reason: "Harm is shown: two wards called",
    });
  },
);

browserTest(
  "each page says what an operator comes for, and how old that is; colours that are chosen stay",
  60_000,
  async () => {
    const expectAll = async (of: string, parts: readonly string[]): Promise<void> => {
      const text = ((await page.locator(of).first().textContent()) ?? "").replaceAll(/\s/g, " ");
      for (const part of parts) expect(text).toContain(part);
    };
    await at.open("fleets");
    await expectAll(".card", ["Canary coalmine-canary-home", "Main coalmine-main-home", "Revision 12"]);
    const versions = page.locator(".card table").first();
    expect(await versions.locator("thead th").allTextContents()).toEqual([
      "Component",
      "Version",
      "Canary",
      "Main",
      "Not as asked",
    ]);
    expect(await versions.locator("tr:has(.status) td").allTextContents()).toEqual([
      "coalmine.Inference",
      "2.0.1",
      "0",
      "1",
      "1 not as asked",
    ]);
    await at.open("device");
    await expectAll("main", ["RH4-00211", "harbour", "Connected", "Asked for: 2.0.3", "too old", "BROKEN"]);
    await expectAll("main", ["Self-tests", "Passed", "Failed", "Swap A and B", "Commissioned by bo"]);
    expect(await page.locator("main").textContent()).toMatch(/Heard *\d+ secs? ago/);
    await at.open("rollout");
    await expectAll(".present", ["left", "decision; then it is rolled back"]);
    await expectAll(".present", ["rheo-0003", "in download of artifacts for 14 min", "Its link is slow"]);
    const metric = page.locator(".metric").first();
    await expectAll(".metric", [
      "Not enough evidence",
      "allowed +10%",
      "Limit",
      "5 looks without data are gaps",
    ]);
    // Of the look that the canary has nothing of: it is no zero.
    const gap = metric.locator("tbody tr", { hasText: "no data" }).last();
    expect(await gap.locator("td").allTextContents()).toEqual([
      "no data",
      "–",
      "0",
      expect.stringMatching(/^4/),
      expect.stringContaining(" … "),
      "34",
    ]);
    await at.open("alarms");
    await page.getByRole("link", { name: "Evidence" }).first().click();
    await page.waitForSelector(".headline");

    // A line from before the newest ones, and one that there is not.
    await page.goto(`${site.url}#/devices/rheo-0003?line=c-150`);
    await page.waitForSelector("[aria-current=true]:has-text('reading 3950')");
    await page.goto(`${site.url}#/devices/rheo-0007?line=c-900`);
    await at.main("The line of this link is not among these");

    await page.emulateMedia({ colorScheme: "light" });
    await page.locator(".settings summary").click();
    const ground = "getComputedStyle(document.body).backgroundColor";
    const light = await page.evaluate(ground);
    await page.getByLabel("Colours").selectOption("dark");
    const dark = await page.evaluate(ground);
    expect(dark).not.toBe(light);
    await page.reload();
    await at.settled();
    expect(await page.evaluate(ground)).toBe(dark);
    await page.evaluate("localStorage.clear()");
    await page.emulateMedia({ colorScheme: null });
  },
);

browserTest("every other task of an operator by keyboard alone", 180_000, async () => {
  await at.open("fleets");
  await page.keyboard.press("?");
  expect(await page.textContent("dialog")).toContain("roll back");
  await page.keyboard.press("Escape");
  // A device among many: search, down the list, in.
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await page.waitForSelector(".device-list a");
  await page.keyboard.press("/");
  await page.keyboard.type("harbour");
  await at.until("document.querySelector('.device-list').ariaRowCount < 30");
  expect(page.url()).toContain("text=harbour");
  await at.tabTo(/^rheo-0003/);
  await page.keyboard.press("ArrowDown");
  await at.until("document.activeElement.textContent === 'rheo-0007'");
  await page.keyboard.press("Enter");
  await at.until("document.querySelector('h1').textContent === 'rheo-0007'");
  // Its logs: back-filled, live, paused without losing a line.
  await at.until("document.querySelector('.lines')?.textContent.includes('reading 4105')");
  await at.tabTo(/^Pause$/);
  await page.keyboard.press("Enter");
  expect(await at.focused()).toBe("Go on");
  await at.tabTo(/^Log lines/);
  // An alarm, with a reason.
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await page.waitForSelector(".card");
  await at.tabTo(/^Acknowledge$/);
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  await at.main("0 wait for somebody");
  // The same is silenced for four hours.
  await at.tabTo(/^Silence$/);
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Space");
  await at.tabTo(/^1 hr/);
  await page.keyboard.press("ArrowDown");
  expect(await axeOn(page)).toEqual([]);
  await at.tabTo(/^Silence$/);
  await page.keyboard.press("Enter");
  await at.main("silent until 27 Nov 2026, 18:20");
  // The audit log, verified by this browser.
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await page.waitForSelector("summary");
  await at.tabTo(/^Is the log whole/);
  await page.keyboard.press("Enter");
  await at.tabTo(/^Verify here$/);
  await page.keyboard.press("Enter");
  await at.main("computed 5 hashes itself");
});

browserTest(
  "a filter is saved under a name, is there when the page is opened anew, and goes; a chart's part is a link",
  60_000,
  async () => {
    await at.open("devices");
    expect(await page.locator(".saved").count()).toBe(0);
    await page.fill("[data-search]", "harbour");
    await page.fill(".saved input", "The harbour");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".saved a");
    await at.open("devices");
    await at.until("document.querySelector('.device-list').ariaRowCount > 30");
    expect(await axeOn(page)).toEqual([]);
    await page.click(".saved a");
    await at.until("document.querySelector('.device-list').ariaRowCount < 30");
    expect(page.url()).toContain("text=harbour");
    await page.getByRole("button", { name: "Forget The harbour" }).click();
    await at.until("document.querySelector('.saved a') === null");

    await at.open("rollout");
    const metric = page.locator(".metric").first();
    const rows = (): Promise<number> => metric.locator("tbody tr").count();
    const all = await rows();
    const [last = "", before = ""] = await metric.locator("tbody th").allTextContents();
    await metric.getByLabel("From").fill(minuteOf(before));
    await metric.getByLabel("To").fill(minuteOf(last));
    await vi.waitFor(async () => expect(await rows()).toBe(2));
    expect(all).toBeGreaterThan(2);
    await metric.getByRole("button", { name: "Copy link" }).click();
    const link = String(await page.evaluate("navigator.clipboard.readText()"));
    await page.goto("about:blank");
    await page.goto(link);
    await at.settled();
    expect([await rows(), await metric.getByLabel("To").inputValue()]).toEqual([2, minuteOf(last)]);
    await metric.getByRole("button", { name: "Whole chart" }).click();
    await vi.waitFor(async () => expect(await rows()).toBe(all));
  },
);

browserTest(
  "devices that wait are told apart from those that are stuck, with what they wait for",
  60_000,
  async () => {
    await at.open("rollout");
    const present = page.locator(".present").first();
    expect(await present.locator(".status").allTextContents()).toEqual(["1 waits", "1 stuck"]);
    expect(await present.textContent()).toContain("rheo-0002 waits: sample running since 14:16");
    const waiting = site.world.devices.find(({ waits }) => waits !== undefined);
    await page.goto(`${site.url}#/devices/${waiting?.thing}`);
    await at.main("waits: sample running since 14:16");
  },
);

browserTest("stale evidence disables promotion and says why; a viewer is told who may", 60_000, async () => {
  const { rollout } = site.world;
  site.world.rollout = { ...rollout, seen: { home: { atMs: 0, ageMs: 600_000, stale: true } } };
  await at.open("rollout");
  expect(await page.getAttribute("button.primary", "aria-disabled")).toBe("true");
  expect(await page.textContent("#no-promote")).toContain("home is too old");
  await page.keyboard.press("p");
  expect(await page.locator("dialog").count()).toBe(0);
  site.world.rollout = rollout;
  site.role = "viewer";
  await at.open("rollout");
  expect(await page.textContent("#no-rollback")).toContain("you are viewer");
  await page.keyboard.press("r");
  expect(await page.locator("dialog").count()).toBe(0);
});

browserTest(
  "what happens is on the page at once; a cut line is said, and taken up again behind the last event",
  60_000,
  async () => {
    await at.open("devices");
    const row = {
      ...site.world.devices[1],
      thing: "rheo-0002",
      fleet: "home",
      cohort: "canary",
      state: "failing",
    };
    const began = performance.now();
    site.tell("device", { source: "heartbeat", atMs: 0, row });
    await at.until(
      "document.querySelector('[data-row=\"1\"]').closest('[role=row]').textContent.includes('Failing')",
    );
    expect(performance.now() - began).toBeLessThan(10_000);
    site.cut(true);
    await at.until("document.querySelector('.state').textContent.includes('Line lost')");
    site.tell("device", { source: "heartbeat", atMs: 0, row: { ...row, state: "updating" } });
    site.cut(false);
    await at.until("document.querySelector('.state').textContent.includes('Live')");
    await at.until(
      "document.querySelector('[data-row=\"1\"]').closest('[role=row]').textContent.includes('Updating')",
    );
  },
);

browserTest(
  "without a network the pages that were seen open with what was there, say how old that is, and decide nothing",
  60_000,
  async () => {
    await at.open("rollout");
    await at.open("devices");
    await at.until("navigator.serviceWorker.controller !== null");
    const context = page.context();
    const before = site.decided.length;
    site.cut(true);
    await context.setOffline(true);
    try {
      await page.reload();
      await at.until("document.querySelector('.device-list')?.ariaRowCount === '41'");
      expect(await page.textContent("[role=alert]")).toMatch(/What follows is from before \(\d+ secs? ago\)/);
      await page.goto(`${site.url}${consolePlaces.rollout}`);
      await page.waitForSelector(".headline");
      expect(await page.getAttribute("button.primary", "aria-disabled")).toBe("true");
      expect(await page.textContent("#no-promote")).toContain("The line is cut");
      await page.keyboard.press("p");
      expect(await page.locator("dialog").count()).toBe(0);
      // What was never seen is not made up.
      await page.goto(`${site.url}#/devices/rheo-0039`);
      await at.main("cannot be reached");
      expect(await page.locator("#components").count()).toBe(0);
    } finally {
      await context.setOffline(false);
      site.cut(false);
    }
    await page.goto(`${site.url}${consolePlaces.rollout}`);
    await at.until("document.querySelector('button.primary')?.ariaDisabled === 'false'");
    expect(site.decided.length).toBe(before);
  },
);

browserTest(
  "a printed link signs in once, in the language of the browser; an expired session says so and changes nothing",
  60_000,
  async () => {
    site.role = undefined;
    await at.open("rollout");
    expect(await page.textContent("h1")).toBe("Sign in");
    expect(await axeOn(page)).toEqual([]);
    await page.goto("about:blank");
    await page.goto(site.link);
    await page.waitForSelector(".card");
    expect(page.url()).not.toContain("token");
    site.role = undefined;
    await page.keyboard.press("g");
    await page.keyboard.press("r");
    await page.waitForSelector("main .note.warn");
    expect(await page.textContent("main")).toContain("Nobody is signed in here any more");
  },
);
