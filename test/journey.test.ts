import { Closing } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, inject, vi } from "vitest";
import type { Page } from "playwright-core";
import { browserTest, found } from "./browser.ts";
import { DEVICES, startJourneySystem, type JourneySystem } from "./journey-system.ts";

/** A developer pushes, an operator decides, and both are told why: all of it as it runs on one machine. */
const closing = new Closing();
const ACTIONS_MAX = 8;
let it: JourneySystem;
let page: Page;
let current = "";

beforeAll(async () => {
  if (!("browser" in found)) return;
  it = await startJourneySystem(closing, inject("built"));
  current = Object.keys(await it.versions())[0] ?? "";
  page = await (await found.browser.newContext({ locale: "en-GB" })).newPage();
  page.setDefaultTimeout(30_000);
});
afterAll(async () => {
  if ("browser" in found) await found.browser.close();
  await closing.close();
});

const main = async (): Promise<string> => (await page.textContent("main")) ?? "";
async function shows(text: string | RegExp): Promise<void> {
  await vi.waitFor(async () => expect(await main()).toMatch(text), { timeout: 30_000, interval: 100 });
}

browserTest(
  "a push goes to a canary, an operator promotes it by the console with a reason, and the main fleet has it",
  180_000,
  async () => {
    const { developer } = it;
    const commit = developer.commit("inference says what it runs");
    await it.publish(commit, "9.0.0");
    expect(await developer.push("main")).toMatch(
      new RegExp(`${commit.slice(0, 12)} on main is on its way: execution`),
    );
    const rollout = await it.until(commit, "awaitingPromotion");
    expect(await it.versions()).toEqual({ "9.0.0": 3, [current]: DEVICES - 3 });
    const { out } = await it.coalmine("rollout", "show");
    expect(out).toMatch(/PROMOTE after 5 min/);

    // Signed in since this morning; what is counted begins with the link of an alert.
    const link = it.link();
    const { origin } = new URL(link);
    await page.goto(link);
    await shows(/12 devices/);
    let actions = 0;
    const act = async (doing: Promise<unknown>, until: string): Promise<void> => {
      actions++;
      await doing;
      await page.waitForSelector(until);
    };
    const canPromote = ".headline button.primary[aria-disabled=false]";
    await act(page.goto(`${origin}/#/rollouts/${rollout}`), canPromote);
    expect(await page.textContent("[aria-current=step]")).toContain("Promotion");
    expect(await main()).toContain("PROMOTE after 5 min");
    // An outlier: one of the canary.
    const canary = (await it.canaries(rollout))[0] ?? "";
    await act(page.goto(`${origin}/#/devices/${canary}`), "text=coalmine.Inference");
    expect(await main()).toContain("9.0.0");
    await act(page.goBack(), canPromote);
    await act(page.keyboard.press("p"), "dialog[open]");
    expect(await page.textContent("dialog")).toMatch(/9 devices get another revision/);
    await act(page.keyboard.press("Space"), "dialog[open]");
    await act(page.keyboard.press("Enter"), ".note.good");
    expect(actions).toBeLessThanOrEqual(ACTIONS_MAX);
    // They report back.
    await it.until(commit, "done");
    await shows(/promoted/i);
    expect(await it.versions()).toEqual({ "9.0.0": DEVICES });
    await vi.waitFor(async () => expect(await it.executionOf(commit)).toBe("Succeeded"), { timeout: 20_000 });
    await page.goto(`${origin}/#/audit?rollout=${rollout}`);
    await shows("The evidence is good");
  },
);

browserTest(
  "a release that does not start is halted on the canary; the page and the command say which device, what broke, and what to do",
  180_000,
  async () => {
    const { developer } = it;
    const before = await it.versions();
    const commit = developer.commit("a program in another folder");
    await it.publish(commit, "9.0.1", "start");
    await developer.push("main");
    const rollout = await it.until(commit, "done");
    expect(await it.versions()).toEqual(before);
    const { out } = await it.coalmine("why", rollout);
    expect(out).toMatch(/is done, halted: driven: 3 of 3 updated devices crash, fail or fell silent/);
    const failed =
      /driven: the deployment FAILED \("Service coalmine.Inference in broken state after deployment"\) on (hosted-\d+(?:, hosted-\d+){2}); `coalmine device logs/;
    expect(failed.exec(out)?.[1]?.split(", ")).toEqual((await it.canaries(rollout)).toSorted());
    expect(out).toContain("correct it, and push again");
    const link = it.link();
    await page.goto(link);
    await shows(/12 devices/);
    await page.goto(`${new URL(link).origin}/#/rollouts/${rollout}`);
    await shows(/Halted, and rolled back/);
    expect(await main()).toMatch(failed);
    await vi.waitFor(async () => expect(await it.executionOf(commit)).toBe("Failed"), { timeout: 20_000 });
  },
);
