import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, expect } from "vitest";
import * as z from "zod";
import { rehearsalPage } from "../simulator/fleet/rehearsal/page/page.ts";
import { failedReport, passedReport } from "../simulator/fleet/rehearsal/report.fixture.ts";
import type { RehearsalReport } from "../simulator/fleet/rehearsal/report.ts";
import { browserTest, found } from "./browser.ts";

const AxeResult = z.object({
  violations: z.array(z.object({ id: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
});

afterAll(async () => {
  if ("browser" in found) await found.browser.close();
});

let shared: Page | undefined;
const asked: string[] = [];

/** The page as somebody opens it; whatever it asks any network for is written down. */
async function opened(
  browser: Browser,
  report: RehearsalReport,
  colorScheme: "light" | "dark" = "light",
): Promise<Page> {
  if (shared === undefined) {
    shared = await browser.newPage();
    shared.on("request", (request) => asked.push(request.url()));
  }
  await shared.setViewportSize({ width: 1100, height: 900 });
  await shared.emulateMedia({ colorScheme });
  await shared.setContent(rehearsalPage(report));
  return shared;
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const told = AxeResult.parse(await page.evaluate("axe.run()"));
  return told.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

browserTest(
  "a failed rehearsal's page says what failed, where, when and what to do",
  60_000,
  async (browser) => {
    const page = await opened(browser, failedReport);
    expect(await page.title()).toBe("Rehearsal of 3f2a91c0d4e5: failed");
    expect(await page.innerText(".verdict")).toContain("✗ failed The candidate fails 1 of 2 checks");
    expect(await page.innerText("ol")).toContain("node simulator/fleet/rehearsal/main.ts --seed 7");
    // What fails stands first, as text and not as markup.
    const [first] = await page
      .locator('table:near(h2:text-is("What must hold"))')
      .first()
      .locator("tbody tr")
      .all();
    expect(await first?.innerText()).toMatch(
      /✗ fails\s+no component broken\s+coalmine\.Inference <1\.0\.1> &/,
    );
    expect(await page.innerText('[aria-label="Planted faults of upgrade-and-back"]')).toMatch(
      /A\s+1:00\s+1:10\s+Link cut\s+hosted-0002\s+B\s+1:30\s+1:35\s+S3 is slow\s+the cloud/,
    );
    expect(await page.innerText(".fleet")).toMatch(/^hosted-0001\s+with a broken component/);
    expect(await page.innerText('[aria-label="What broke on devices in upgrade-and-back"]')).toMatch(
      /2:05\s+hosted-0001\s+coalmine\.Inference 1\.0\.1 is BROKEN/,
    );
    expect(await page.locator(".timeline rect.is-no-link").count()).toBe(1);
    expect(await page.locator(".timeline rect.is-candidate").count()).toBe(6);
    expect(asked).toEqual([]);
  },
);

browserTest(
  "a passed rehearsal's page says so, and by keyboard each chart can be read as numbers",
  60_000,
  async (browser) => {
    const page = await opened(browser, passedReport);
    expect(await page.innerText(".verdict")).toBe(
      "✓ passed The candidate passes: all 1 checks hold on 6 devices.",
    );
    expect(await page.innerText('[aria-label="What would change"]')).toMatch(
      /coalmine\.Inference\s+1\.0\.0\s+1\.0\.1\s+changes/,
    );
    const focused = () => page.evaluate("document.activeElement?.textContent?.trim().slice(0, 40)");
    for (let presses = 0; (await focused()) !== "Devices as a table"; presses++) {
      if (presses > 20) throw new Error("no key press reaches the chart's table");
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    expect(await page.innerText('[aria-label="Devices as a table"]')).toMatch(/2:00\s+5\s+6/);
    expect(asked).toEqual([]);
  },
);

browserTest("the page is accessible in light, in dark and on a narrow screen", 60_000, async (browser) => {
  for (const scheme of ["light", "dark"] as const) {
    const page = await opened(browser, failedReport, scheme);
    expect(await violations(page)).toEqual([]);
    if (scheme === "dark") {
      await page.setViewportSize({ width: 360, height: 700 });
      expect(await violations(page)).toEqual([]);
      // Only what says so can be moved sideways.
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
    }
  }
});
