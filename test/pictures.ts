import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { launchChromium } from "./chromium.ts";
import { consolePlaces, startConsoleSite } from "./console-site.ts";

/**
 * `npm run -s pictures`: the pictures of `docs/operator.md`, from the real pages. `--all FOLDER` writes every page in
 * light and dark, wide and narrow, to look at.
 */
const { values } = parseArgs({ options: { all: { type: "string" } } });
const found = await launchChromium();
if ("why" in found) throw new Error(`no browser starts here, so there are no pictures: ${found.why}`);
const site = await startConsoleSite();
try {
  if (values.all === undefined) await forTheDocs(join(import.meta.dirname, "../docs/pictures"));
  else await everything(values.all);
} finally {
  await found.browser.close();
  await site.close();
}

async function open(): Promise<Page> {
  if ("why" in found) throw new Error(found.why);
  const context = await found.browser.newContext({
    locale: "en-GB",
    timezoneId: "UTC",
    reducedMotion: "reduce",
  });
  return context.newPage();
}

/** Small ones: a page of documentation with four of them is read on a phone as well. */
async function forTheDocs(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const page = await open();
  await page.setViewportSize({ width: 1100, height: 760 });
  const take = (name: string): Promise<unknown> =>
    page.screenshot({ path: join(folder, `${name}.png`), scale: "css" });
  for (const name of ["fleets", "devices", "device", "rollout", "audit", "alarms"] as const) {
    await page.goto(`${site.url}${consolePlaces[name]}`);
    await settled(page);
    await take(name);
  }
  await page.goto(`${site.url}${consolePlaces.rollout}`);
  await settled(page);
  await page.evaluate("document.querySelector('.metric').scrollIntoView()");
  await page.waitForTimeout(300);
  await take("metrics");
  await page.keyboard.press("p");
  await page.waitForSelector("dialog[open]");
  await take("promote");
}

async function everything(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const page = await open();
  for (const colorScheme of ["light", "dark"] as const)
    for (const width of [1440, 360]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: width === 360 ? 740 : 900 });
      for (const [name, fragment] of Object.entries(consolePlaces)) {
        await page.goto(`${site.url}${fragment}`);
        await settled(page);
        await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`), fullPage: true });
      }
    }
}

async function settled(page: Page): Promise<void> {
  await page.waitForSelector("h1");
  await page.waitForTimeout(700);
}
