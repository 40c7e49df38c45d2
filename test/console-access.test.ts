import { deviceStates } from "@coalmine/contract/operator-api";
import { afterAll, beforeAll, expect } from "vitest";
import type { Page } from "playwright-core";
import { languages } from "../console/texts/languages.ts";
import { axeOn } from "./axe.ts";
import { browserTest, found } from "./browser.ts";
import { ConsolePage } from "./console-page.ts";
import { consolePlaces, type ConsoleSite } from "./console-site.ts";
import { contrastOf, differenceOf, leftOf, openDecoder, seeAs, seen, visions } from "./seen-colours.ts";

/** Whether everybody can use the console: who does not see it, or other colours, who has a keyboard alone, or a phone. */

/** Of a status in a list. */
const SHAPE_PX = 16;

let at: ConsolePage;
let site: ConsoleSite;
let page: Page;
beforeAll(async () => {
  if (!("browser" in found)) return;
  at = await ConsolePage.start(found.browser);
  ({ site, page } = at);
});
afterAll(async () => {
  if (!("browser" in found)) return;
  await site.close();
  await found.browser.close();
});

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

browserTest(
  "no page is in the way of who cannot see it, or not well; nothing breaks its own policy",
  180_000,
  async () => {
    for (const place of Object.keys(consolePlaces) as (keyof typeof consolePlaces)[]) {
      await at.open(place);
      expect(await axeOn(page), place).toEqual([]);
    }
    expect(at.problems).toEqual([]);
  },
);

browserTest(
  "the tab key comes to an end on every page, and nothing hides what has the focus",
  120_000,
  async () => {
    for (const place of ["fleets", "devices", "rollout", "alarms"] as const)
      for (const width of [360, 1440]) {
        await at.open(place, width);
        // A page that opens is walked from its title on: all of it once it has come round.
        let stops = 0;
        for (let rounds = 0; rounds < 2;) {
          await page.keyboard.press("Tab");
          const hidden = await page.evaluate(HIDDEN);
          if (hidden === "nowhere") {
            rounds++;
            continue;
          }
          expect(hidden, `${place}, ${width}`).toBe("");
          if (++stops > 200) throw new Error(`the tab key does not leave ${place}`);
        }
        expect(stops, place).toBeGreaterThan(12);
      }
  },
);

browserTest(
  "every state of a device is told apart without colours: each has a word, and troubles a shape of their own",
  60_000,
  async () => {
    await at.open("devices");
    const seen = new Map<string, string>();
    await page.waitForSelector(".device-list .status");
    for (const state of ["well", "updating", "offline", "silent", "failing", "unseen"]) {
      site.tell("device", {
        source: "heartbeat",
        atMs: 0,
        row: { ...site.world.devices[0], thing: "rheo-0001", fleet: "home", cohort: "canary", state },
      });
      const row = "document.querySelector('[data-row=\"0\"]').closest('[role=row]').querySelector('.status')";
      await at.until(
        `${row}.textContent.toLowerCase().startsWith('${state === "unseen" ? "never" : state}')`,
      );
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
    await at.open("devices");
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
    await at.open("fleets");
    for (const [turn, language] of languages.entries()) {
      await page.evaluate(`localStorage.setItem("language", "${language}")`);
      const combinations = colours.flatMap((colour, index) =>
        [360, 1440].flatMap((width, wide) =>
          places.map((place, number) => ({ colour, width, place, pick: index * 2 + wide + number })),
        ),
      );
      // The short form takes one of each by turns: every language, all colours, both widths.
      const taken = isLong ? combinations : [combinations[(turn * 13 + 4) % combinations.length]];
      for (const one of taken) {
        if (one === undefined) continue;
        await page.emulateMedia(one.colour);
        await at.open(one.place, one.width);
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
