import { Closing } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, inject, vi } from "vitest";
import type { Page } from "playwright-core";
import { browserTest, found } from "./browser.ts";
import { canariesOf, devicesOn, executionOf, type Ground, until } from "./journey-ground.ts";
import { startQuickSystem } from "./quick-system.ts";
import { startUpSystem } from "./up-system.ts";

/** A developer pushes, an operator decides, and both are told why: all of it as it runs on one machine. */
const closing = new Closing();
const ACTIONS_MAX = 8;
const isLong = process.env["COALMINE_LONG"] === "1";
const JOURNEY_MS_MAX = isLong ? 3_600_000 : 180_000;
let ground: Ground;
let page: Page;

beforeAll(async () => {
  if (!("browser" in found)) return;
  ground = isLong ? await startUpSystem(closing) : await startQuickSystem(closing, inject("built"));
  page = await (await found.browser.newContext({ locale: "en-GB" })).newPage();
  page.setDefaultTimeout(60_000);
}, 1_800_000);
afterAll(async () => {
  if ("browser" in found) await found.browser.close();
  await closing.close();
});

const main = async (): Promise<string> => (await page.textContent("main")) ?? "";
async function shows(text: string | RegExp): Promise<void> {
  await vi.waitFor(async () => expect(await main()).toMatch(text), { timeout: 60_000, interval: 100 });
}
/** Opens the console by a link of its own; gives where it is. */
async function signIn(): Promise<string> {
  const link = await ground.link();
  await page.goto(link);
  await shows(/\d devices/);
  return new URL(link).origin;
}
async function ended(commit: string, status: string): Promise<void> {
  await vi.waitFor(async () => expect(await executionOf(ground, commit)).toBe(status), {
    timeout: 120_000,
    interval: 500,
  });
}

browserTest(
  "a push goes to a canary, an operator promotes it by the console with a reason, and the main fleet has it",
  JOURNEY_MS_MAX,
  async () => {
    const { devices, canary } = ground;
    const { commit, said } = await ground.push("better");
    expect(said).toMatch(new RegExp(`${commit.slice(0, 12)} on main is on its way: execution`));
    const rollout = await until(ground, commit, "awaitingPromotion");
    expect(await devicesOn(ground, rollout)).toBe(canary);
    expect(await ground.coalmine("rollout", "show")).toMatch(/PROMOTE after/);

    // Signed in since this morning; what is counted begins with the link of an alert.
    const origin = await signIn();
    let actions = 0;
    const act = async (doing: Promise<unknown>, seen: string): Promise<void> => {
      actions++;
      await doing;
      await page.waitForSelector(seen);
    };
    const canPromote = ".headline button.primary[aria-disabled=false]";
    await act(page.goto(`${origin}/#/rollouts/${rollout}`), canPromote);
    expect(await page.textContent("[aria-current=step]")).toContain("Promotion");
    expect(await main()).toContain("PROMOTE after");
    // An outlier: one of the canary.
    const [thing = ""] = await canariesOf(ground, rollout);
    await act(page.goto(`${origin}/#/devices/${thing}`), "text=coalmine.Inference");
    await act(page.goBack(), canPromote);
    await act(page.keyboard.press("p"), "dialog[open]");
    expect(await page.textContent("dialog")).toContain(`${devices - canary} devices get another revision`);
    await act(page.keyboard.press("Space"), "dialog[open]");
    await act(page.keyboard.press("Enter"), ".note.good");
    expect(actions).toBeLessThanOrEqual(ACTIONS_MAX);
    // They report back.
    await until(ground, commit, "done");
    await shows("Promoted");
    expect(await devicesOn(ground, rollout)).toBe(devices);
    await ended(commit, "Succeeded");
    await page.goto(`${origin}/#/audit?rollout=${rollout}`);
    await shows("The evidence is good");
  },
);

browserTest(
  "a bad release is halted on the canary; the page and the command say what it was halted for, and what to do",
  JOURNEY_MS_MAX,
  async () => {
    const { commit } = await ground.push("broken");
    const rollout = await until(ground, commit, "done");
    expect(await devicesOn(ground, rollout)).toBe(0);
    const why = await ground.coalmine("why", rollout);
    expect(why).toMatch(/is done, halted: .*driven: /);
    const [, named] = ground.failed.exec(why) ?? [];
    expect(why).toMatch(ground.failed);
    if (named !== undefined) expect(named.split(", ")).toEqual(await canariesOf(ground, rollout));
    expect(why).toContain("correct it, and push again");
    const origin = await signIn();
    await page.goto(`${origin}/#/rollouts/${rollout}`);
    await shows("Halted, and rolled back");
    expect(await main()).toMatch(ground.failed);
    await ended(commit, "Failed");
  },
);
