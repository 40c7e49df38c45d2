import { afterAll, afterEach, beforeAll, expect, vi } from "vitest";
import type { Browser, Page } from "playwright-core";
import { deviceStates } from "@coalmine/contract/operator-api";
import { languages } from "../console/texts/languages.ts";
import { browserTest, found } from "./browser.ts";
import { axeOn } from "./axe.ts";
import { contrastOf, differenceOf, leftOf, openDecoder, seeAs, seen, visions } from "./seen-colours.ts";
import { consolePlaces, type ConsoleSite, startConsoleSite } from "./console-site.ts";

let site: ConsoleSite;
let page: Page;
const problems: string[] = [];
/** Of a status in a list. */
const SHAPE_PX = 16;
beforeAll(async () => {
  site = await startConsoleSite();
  if ("browser" in found) page = await openPage(found.browser);
});
afterEach(() => {
  site.role = "operator";
});
afterAll(async () => {
  await site.close();
  if ("browser" in found) await found.browser.close();
});

async function openPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce" });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: site.url });
  const opened = await context.newPage();
  opened.setDefaultTimeout(30_000);
  // A breach of the page's own policy is told there as well.
  opened.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) problems.push(message.text());
  });
  opened.on("pageerror", (failure) => problems.push(String(failure)));
  return opened;
}

/** Opens a page of the console as from a link. */
async function open(place: keyof typeof consolePlaces | "", width = 1440): Promise<void> {
  await page.setViewportSize({ width, height: width === 360 ? 740 : 900 });
  await page.goto("about:blank");
  await page.goto(`${site.url}${place === "" ? "" : consolePlaces[place]}`);
  await settled();
}
/** The page's policy lets nobody evaluate texts in it, so what is waited for is asked again and again. */
async function until(what: string): Promise<void> {
  await vi.waitFor(async () => expect(await page.evaluate(`Boolean(${what})`), what).toBe(true), {
    timeout: 20_000,
    interval: 50,
  });
}
const main = (text: string): Promise<void> =>
  until(`document.querySelector('main').textContent.includes(${JSON.stringify(text)})`);
/** Until what was asked for is there. */
async function settled(): Promise<void> {
  await until(
    "document.querySelectorAll('main > *').length > 1 && document.querySelector('main > p[role=status]:last-child') === null",
  );
  if (page.url().includes("/rollouts/") && site.role !== undefined) await page.waitForSelector("canvas");
}
/** Of a time in a table, as a field takes it; both are on the same zone's clock. */
const minuteOf = (text: string): string => new Date(`${text} UTC`).toISOString().slice(0, 16);
const focused = (): Promise<string> =>
  page.evaluate("(document.activeElement?.ariaLabel || document.activeElement?.textContent || '').trim()");
/** Where the focus is, if all of it is covered by something else or out of sight. */
const HIDDEN = `(() => {
  const focused = document.activeElement;
  if (focused === null || focused === document.body) return "nowhere";
  const { left, top, right, bottom } = focused.getClientRects()[0];
  const within = (value, end) => Math.max(0, Math.min(end - 1, value));
  const isSeen = [0.1, 0.5, 0.9].some((share) => {
    const x = within(left + share * (right - left), innerWidth);
    const y = within(top + share * (bottom - top), innerHeight);
    const seen = document.elementFromPoint(x, y);
    return seen !== null && (focused.contains(seen) || seen.contains(focused));
  });
  return isSeen ? "" : focused.outerHTML.slice(0, 200);
})()`;
async function tabTo(text: RegExp): Promise<void> {
  for (let tabs = 0; tabs < 60; tabs++) {
    await page.keyboard.press("Tab");
    if (text.test(await focused())) return;
  }
  throw new Error(`the tab key does not lead to ${text}`);
}

browserTest(
  "no page is in the way of who cannot see it, or not well; nothing breaks its own policy",
  180_000,
  async () => {
    for (const place of Object.keys(consolePlaces) as (keyof typeof consolePlaces)[]) {
      await open(place);
      expect(await axeOn(page), place).toEqual([]);
    }
    expect(problems).toEqual([]);
  },
);

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
    await open("rollout");
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
    await until("document.querySelector('.headline').textContent.includes('Going to the main fleet')");
    console.log(`from the link to a reasoned promotion: ${actions} actions`);
    expect(actions).toBeLessThanOrEqual(8);
  },
);

browserTest(
  "two operators at once: the second is told that it moved, and nothing is done twice",
  60_000,
  async () => {
    await open("rollout");
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

browserTest("every other task of an operator by keyboard alone", 180_000, async () => {
  await open("fleets");
  await page.keyboard.press("?");
  expect(await page.textContent("dialog")).toContain("roll back");
  await page.keyboard.press("Escape");
  // A device among many: search, down the list, in.
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await page.waitForSelector(".device-list a");
  await page.keyboard.press("/");
  await page.keyboard.type("harbour");
  await until("document.querySelector('.device-list').ariaRowCount < 30");
  expect(page.url()).toContain("text=harbour");
  await tabTo(/^rheo-0003/);
  await page.keyboard.press("ArrowDown");
  await until("document.activeElement.textContent === 'rheo-0007'");
  await page.keyboard.press("Enter");
  await until("document.querySelector('h1').textContent === 'rheo-0007'");
  // Its logs: back-filled, live, paused without losing a line.
  await until("document.querySelector('.lines')?.textContent.includes('reading 4105')");
  await tabTo(/^Pause$/);
  await page.keyboard.press("Enter");
  expect(await focused()).toBe("Go on");
  await tabTo(/^Log lines/);
  // An alarm, with a reason.
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await page.waitForSelector(".card");
  await tabTo(/^Acknowledge$/);
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  await main("0 wait for somebody");
  // The same is silenced for four hours.
  await tabTo(/^Silence$/);
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Space");
  await tabTo(/^1 hr/);
  await page.keyboard.press("ArrowDown");
  expect(await axeOn(page)).toEqual([]);
  await tabTo(/^Silence$/);
  await page.keyboard.press("Enter");
  await main("silent until 27 Nov 2026, 18:20");
  // The audit log, verified by this browser.
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await page.waitForSelector("summary");
  await tabTo(/^Is the log whole/);
  await page.keyboard.press("Enter");
  await tabTo(/^Verify here$/);
  await page.keyboard.press("Enter");
  await main("computed 5 hashes itself");
});

browserTest(
  "the tab key comes to an end on every page, and nothing hides what has the focus",
  120_000,
  async () => {
    for (const place of ["fleets", "devices", "rollout", "alarms"] as const)
      for (const width of [360, 1440]) {
        await open(place, width);
        let stops = 0;
        for (;;) {
          await page.keyboard.press("Tab");
          const hidden = await page.evaluate(HIDDEN);
          if (hidden === "nowhere") break;
          expect(hidden, `${place}, ${width}`).toBe("");
          if (++stops > 100) throw new Error(`the tab key does not leave ${place}`);
        }
        expect(stops, place).toBeGreaterThan(5);
      }
  },
);

browserTest(
  "a filter is saved under a name, is there when the page is opened anew, and goes; a chart's part is a link",
  60_000,
  async () => {
    await open("devices");
    expect(await page.locator(".saved").count()).toBe(0);
    await page.fill("[data-search]", "harbour");
    await page.fill(".saved input", "The harbour");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".saved a");
    await open("devices");
    await until("document.querySelector('.device-list').ariaRowCount > 30");
    expect(await axeOn(page)).toEqual([]);
    await page.click(".saved a");
    await until("document.querySelector('.device-list').ariaRowCount < 30");
    expect(page.url()).toContain("text=harbour");
    await page.getByRole("button", { name: "Forget The harbour" }).click();
    await until("document.querySelector('.saved a') === null");

    await open("rollout");
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
    await settled();
    expect([await rows(), await metric.getByLabel("To").inputValue()]).toEqual([2, minuteOf(last)]);
    await metric.getByRole("button", { name: "Whole chart" }).click();
    await vi.waitFor(async () => expect(await rows()).toBe(all));
  },
);

browserTest(
  "devices that wait are told apart from those that are stuck, with what they wait for",
  60_000,
  async () => {
    await open("rollout");
    const present = page.locator(".present").first();
    expect(await present.locator(".status").allTextContents()).toEqual(["1 waits", "1 stuck"]);
    expect(await present.textContent()).toContain("rheo-0002 waits: sample running since 14:16");
    const waiting = site.world.devices.find(({ waits }) => waits !== undefined);
    await page.goto(`${site.url}#/devices/${waiting?.thing}`);
    await main("waits: sample running since 14:16");
  },
);

browserTest("stale evidence disables promotion and says why; a viewer is told who may", 60_000, async () => {
  const { rollout } = site.world;
  site.world.rollout = { ...rollout, seen: { home: { atMs: 0, ageMs: 600_000, stale: true } } };
  await open("rollout");
  expect(await page.getAttribute("button.primary", "aria-disabled")).toBe("true");
  expect(await page.textContent("#no-promote")).toContain("home is too old");
  await page.keyboard.press("p");
  expect(await page.locator("dialog").count()).toBe(0);
  site.world.rollout = rollout;
  site.role = "viewer";
  await open("rollout");
  expect(await page.textContent("#no-rollback")).toContain("you are viewer");
  await page.keyboard.press("r");
  expect(await page.locator("dialog").count()).toBe(0);
});

browserTest(
  "what happens is on the page at once; a cut line is said, and taken up again behind the last event",
  60_000,
  async () => {
    await open("devices");
    const row = {
      ...site.world.devices[1],
      thing: "rheo-0002",
      fleet: "home",
      cohort: "canary",
      state: "failing",
    };
    const began = performance.now();
    site.tell("device", { source: "heartbeat", atMs: 0, row });
    await until(
      "document.querySelector('[data-row=\"1\"]').closest('[role=row]').textContent.includes('Failing')",
    );
    expect(performance.now() - began).toBeLessThan(10_000);
    site.cut(true);
    await until("document.querySelector('.state').textContent.includes('Line lost')");
    site.tell("device", { source: "heartbeat", atMs: 0, row: { ...row, state: "updating" } });
    site.cut(false);
    await until("document.querySelector('.state').textContent.includes('Live')");
    await until(
      "document.querySelector('[data-row=\"1\"]').closest('[role=row]').textContent.includes('Updating')",
    );
  },
);

browserTest(
  "without a network the pages that were seen open with what was there, say how old that is, and decide nothing",
  60_000,
  async () => {
    await open("rollout");
    await open("devices");
    await until("navigator.serviceWorker.controller !== null");
    const context = page.context();
    const before = site.decided.length;
    site.cut(true);
    await context.setOffline(true);
    try {
      await page.reload();
      await until("document.querySelector('.device-list')?.ariaRowCount === '41'");
      expect(await page.textContent("[role=alert]")).toMatch(/What follows is from before \(\d+ secs? ago\)/);
      await page.goto(`${site.url}${consolePlaces.rollout}`);
      await page.waitForSelector(".headline");
      expect(await page.getAttribute("button.primary", "aria-disabled")).toBe("true");
      expect(await page.textContent("#no-promote")).toContain("The line is cut");
      await page.keyboard.press("p");
      expect(await page.locator("dialog").count()).toBe(0);
      // What was never seen is not made up.
      await page.goto(`${site.url}#/devices/rheo-0039`);
      await main("cannot be reached");
      expect(await page.locator("#components").count()).toBe(0);
    } finally {
      await context.setOffline(false);
      site.cut(false);
    }
    await page.goto(`${site.url}${consolePlaces.rollout}`);
    await until("document.querySelector('button.primary')?.ariaDisabled === 'false'");
    expect(site.decided.length).toBe(before);
  },
);

browserTest(
  "a printed link signs in once, in the language of the browser; an expired session says so and changes nothing",
  60_000,
  async () => {
    site.role = undefined;
    await open("rollout");
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

browserTest(
  "every state of a device is told apart without colours: each has a word, and troubles a shape of their own",
  60_000,
  async () => {
    await open("devices");
    const seen = new Map<string, string>();
    await page.waitForSelector(".device-list .status");
    for (const state of ["well", "updating", "offline", "silent", "failing", "unseen"]) {
      site.tell("device", {
        source: "heartbeat",
        atMs: 0,
        row: { ...site.world.devices[0], thing: "rheo-0001", fleet: "home", cohort: "canary", state },
      });
      const row = "document.querySelector('[data-row=\"0\"]').closest('[role=row]').querySelector('.status')";
      await until(`${row}.textContent.toLowerCase().startsWith('${state === "unseen" ? "never" : state}')`);
      seen.set(
        await page.evaluate(`${row}.textContent`),
        await page.evaluate(`${row}.querySelector('path').getAttribute('d')`),
      );
    }
    expect(seen.size).toBe(6);
    expect(new Set(seen.values()).size).toBe(6);
  },
);

browserTest(
  "whoever sees other colours, or none, reads each state's word and tells the shapes apart, in the light and in the dark",
  60_000,
  async (browser) => {
    const decoder = await openDecoder(browser);
    const before = site.world.devices;
    site.world.devices = before.map(({ because: _because, waits: _waits, ...row }, index) => ({
      ...row,
      state: deviceStates[index] ?? row.state,
    }));
    await open("devices");
    await page.waitForSelector(".device-list .status");
    const statuses = deviceStates.map((_, index) =>
      page.locator(`[role=row]:has([data-row="${index}"]) .status`),
    );
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const vision of visions) {
        await seeAs(page, vision);
        const looks = await seen(page, statuses, decoder);
        const shapes = looks.map((look) => leftOf(look, SHAPE_PX));
        for (const [index, look] of looks.entries()) {
          const where = `${deviceStates[index]}, ${vision}, ${colorScheme}`;
          expect(contrastOf(look), where).toBeGreaterThanOrEqual(4.5);
          for (const other of shapes.slice(0, index))
            expect(differenceOf(shapes[index] ?? look, other), where).toBeGreaterThan(0.05);
        }
      }
    }
    await seeAs(page, "none");
    await page.emulateMedia({ colorScheme: null });
    site.world.devices = before;
  },
);

const isLong = process.env["COALMINE_LONG"] === "1";
browserTest(
  isLong
    ? "the same on every page × colours × language × width"
    : "the same in the dark, in every language, on a phone: one page of each",
  isLong ? 3_600_000 : 180_000,
  async () => {
    const colours = [
      { colorScheme: "light", forcedColors: "none" },
      { colorScheme: "dark", forcedColors: "none" },
      { colorScheme: "dark", forcedColors: "active" },
    ] as const;
    const places = Object.keys(consolePlaces) as (keyof typeof consolePlaces)[];
    await open("fleets");
    for (const [at, language] of languages.entries()) {
      await page.evaluate(`localStorage.setItem("language", "${language}")`);
      const combinations = colours.flatMap((colour, index) =>
        [360, 1440].flatMap((width, wide) =>
          places.map((place, number) => ({ colour, width, place, pick: index * 2 + wide + number })),
        ),
      );
      // The short form takes one of each by turns: every language, all colours, both widths.
      const taken = isLong ? combinations : [combinations[(at * 13 + 4) % combinations.length]];
      for (const one of taken) {
        if (one === undefined) continue;
        await page.emulateMedia(one.colour);
        await open(one.place, one.width);
        const where = JSON.stringify([one.place, language, one.colour, one.width]);
        expect(await page.evaluate("document.documentElement.lang"), where).toBe(language);
        expect(await axeOn(page), where).toEqual([]);
        // Nothing but tables, which scroll by themselves, is wider than the screen.
        expect(await page.evaluate("document.documentElement.scrollWidth"), where).toBeLessThanOrEqual(
          one.width,
        );
      }
    }
    await page.evaluate("localStorage.clear()");
  },
);
