import type { Browser, Page } from "playwright-core";
import { expect, vi } from "vitest";
import { consolePlaces, type ConsoleSite, startConsoleSite } from "./console-site.ts";

/** The console before a known fleet, in a browser, as a person has it before them. */
export class ConsolePage {
  readonly site: ConsoleSite;
  readonly page: Page;
  /** What went wrong in it, and what broke its own policy. */
  readonly problems: string[] = [];

  private constructor(site: ConsoleSite, page: Page) {
    this.site = site;
    this.page = page;
    page.setDefaultTimeout(30_000);
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) this.problems.push(message.text());
    });
    page.on("pageerror", (failure) => this.problems.push(String(failure)));
  }

  static async start(browser: Browser): Promise<ConsolePage> {
    const site = await startConsoleSite();
    const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce" });
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: site.url });
    return new ConsolePage(site, await context.newPage());
  }

  /** Opens a page of the console as from a link. */
  async open(place: keyof typeof consolePlaces | "", width = 1440): Promise<void> {
    await this.page.setViewportSize({ width, height: width === 360 ? 740 : 900 });
    await this.page.goto("about:blank");
    await this.page.goto(`${this.site.url}${place === "" ? "" : consolePlaces[place]}`);
    await this.settled();
  }

  /** The page's policy lets nobody evaluate texts in it, so what is waited for is asked again and again. */
  async until(what: string): Promise<void> {
    await vi.waitFor(async () => expect(await this.page.evaluate(`Boolean(${what})`), what).toBe(true), {
      timeout: 20_000,
      interval: 50,
    });
  }

  main(text: string): Promise<void> {
    return this.until(`document.querySelector('main').textContent.includes(${JSON.stringify(text)})`);
  }

  /** Until what was asked for is there. */
  async settled(): Promise<void> {
    await this.until(
      "document.querySelectorAll('main > *').length > 1 && document.querySelector('main > p[role=status]:last-child') === null",
    );
    if (this.page.url().includes("/rollouts/") && this.site.role !== undefined)
      await this.page.waitForSelector("canvas");
  }

  focused(): Promise<string> {
    return this.page.evaluate(
      "(document.activeElement?.ariaLabel || document.activeElement?.textContent || '').trim()",
    );
  }

  async tabTo(text: RegExp): Promise<void> {
    for (let tabs = 0; tabs < 60; tabs++) {
      await this.page.keyboard.press("Tab");
      if (text.test(await this.focused())) return;
    }
    throw new Error(`the tab key does not lead to ${text}`);
  }
}
