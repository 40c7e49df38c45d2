import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildConsole } from "../../console/build.ts";
import { launchChromium } from "../../test/chromium.ts";
import { startConsoleSite } from "../../test/console-site.ts";
import { live } from "./live.ts";
import { FIRST_LOAD_KB_MAX, weighed } from "./weight.ts";
import { atMost, type Bench, median, type Metrics, ROUNDS } from "../measure.ts";

const DEVICES = 1000;
/** Words of devices whose way to the page is timed. */
const LIVE_ROUNDS = 60;

/**
 * The console's weight, and what a page with a thousand devices costs a browser. Its server answers at once, so the
 * times are the browser's: loading, drawing, filtering.
 */
export const bench: Bench = async (say) => {
  const folder = await mkdtemp(join(tmpdir(), "console-"));
  try {
    await buildConsole(folder);
    const weight = weighed(folder);
    say(`first load ${weight.first.toFixed(1)} kB, charts ${weight.charts.toFixed(1)} kB more`);
    return {
      firstLoad: atMost(weight.first, "kB gzip", FIRST_LOAD_KB_MAX),
      charts: { value: weight.charts, unit: "kB gzip" },
      ...(await timed(folder, say)),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
};

async function timed(folder: string, say: (sentence: string) => void): Promise<Metrics> {
  const found = await launchChromium();
  if ("why" in found) throw new Error(`no browser starts here, so nothing was timed: ${found.why}`);
  const site = await startConsoleSite(DEVICES);
  try {
    const context = await found.browser.newContext({
      viewport: { width: 1440, height: 900 },
      // Each round loads everything again.
      serviceWorkers: "block",
    });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Network.setCacheDisabled", { cacheDisabled: true });
    const [interactive, filtered]: [number[], number[]] = [[], []];
    for (let round = 0; round <= ROUNDS; round++) {
      await page.goto("about:blank");
      await page.goto(`${site.url}#/devices`);
      const readyMs = Number(await page.evaluate(UNTIL_READY));
      const filterMs = Number(await page.evaluate(FILTER));
      // The first round warms the browser itself.
      if (round === 0) continue;
      interactive.push(readyMs);
      filtered.push(filterMs);
      say(`interactive after ${readyMs.toFixed(0)} ms, filtered in ${filterMs.toFixed(0)} ms`);
    }
    return {
      interactive: atMost(median(interactive) / 1000, `s, ${DEVICES} devices`, 1.5),
      filter: atMost(median(filtered), `ms, ${DEVICES} devices`, 100),
      ...(await live(found.browser, folder, { devices: DEVICES, rounds: LIVE_ROUNDS }, say)),
    };
  } finally {
    await found.browser.close();
    await site.close();
  }
}

/** From the navigation until rows are drawn and the browser has nothing more to do. */
const UNTIL_READY = `new Promise((resolve) => {
  const look = () =>
    document.querySelector("[data-row]") === null
      ? requestAnimationFrame(look)
      : requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
  look();
})`;

/** From a letter in the search field until the rows that fit are drawn. */
const FILTER = `new Promise((resolve) => {
  const field = document.querySelector("[data-search]");
  const list = document.querySelector("[role=table]");
  const before = list.ariaRowCount;
  const began = performance.now();
  field.value = "harbour";
  field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  const look = () =>
    list.ariaRowCount === before
      ? requestAnimationFrame(look)
      : requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
  look();
})`;
