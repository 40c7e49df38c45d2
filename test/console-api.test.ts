import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Closing } from "@coalmine/runtime";
import { afterAll, beforeAll, expect, vi } from "vitest";
import type { Page } from "playwright-core";
import { closeOperatorRegion, openOperatorRegion } from "../api/operator-region.ts";
import { ACCOUNT, type Rig, startRig } from "../api/rig.ts";
import { buildConsole } from "../console/build.ts";
import { readRollout } from "../pipeline/controller/folded.ts";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";
import { browserTest, found } from "./browser.ts";
import { startOperatorServer } from "./operator-server.ts";
import { startCloud } from "./rig-cloud.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
const closing = new Closing();
let rig: Rig;
let rollout = "";
let origin = "";
let link = "";
beforeAll(async () => {
  if (!("browser" in found)) return;
  rig = await startRig((name, region) => startCloud(closing, name, region), closing, { home: 4 });
  await rig.push("2222222bbbbb", "1.0.1");
  const controller = rig.controller();
  for (let ticks = 0; (await phase()) !== "awaitingPromotion"; ticks++) {
    if (ticks > 300) throw new Error("the canary was not judged");
    const { waits, moved } = await controller.tick();
    if (!moved && waits.length > 0) await rig.home.clock.runUntil(rig.home.clock.now() + 60_000);
  }
  const folder = await mkdtemp(join(tmpdir(), "console-"));
  closing.add(folder, () => rm(folder, { recursive: true }));
  await buildConsole(folder);
  const region = closing.add(openOperatorRegion(rig.home.region.target, ACCOUNT), closeOperatorRegion);
  const served = await startOperatorServer(closing, folder, {
    api: rig.api,
    regions: [region],
    clock: {
      now: () => rig.home.clock.now(),
      monotonicMs: () => performance.now(),
      sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms / 10)),
    },
  });
  origin = served.origin;
  link = served.link({ who: "ada", role: "operator" });
}, 300_000);
afterAll(async () => {
  if ("browser" in found) await found.browser.close();
  await closing.close();
});

async function phase(): Promise<string | undefined> {
  rollout = (await rig.api.log.list(1))[0]?.rollout ?? "";
  if (rollout === "") return undefined;
  return (await readRollout(rig.api.log, rollout))?.planned?.rollout.phase.phase;
}

browserTest(
  "the console over the real API and a real rollout: every page, then a promotion that the log keeps",
  180_000,
  async (browser) => {
    const page = await (await browser.newContext({ locale: "en-GB" })).newPage();
    const problems: string[] = [];
    page.on("pageerror", (failure) => problems.push(String(failure)));
    await page.goto(link);
    await page.waitForSelector(".card");
    expect(await refusedOn(page)).toEqual([]);
    await page.goto(`${origin}/#/rollouts/${rollout}`);
    await page.waitForSelector(".headline button.primary[aria-disabled=false]");
    await page.keyboard.press("p");
    await page.waitForSelector("dialog[open]");
    expect(await page.textContent("dialog")).toContain("1.0.1");
    await page.keyboard.press("Space");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".note.good");
    expect(await phase()).toBe("waves");
    const entry = (await rig.api.log.entries(rollout)).at(-1);
    expect(entry?.text).toContain("The evidence is good");
    expect(entry?.text).toContain("ada");
    expect(problems).toEqual([]);
  },
);

/** Opens each page; gives what is refused there. */
async function refusedOn(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const path of [
    "fleets",
    "devices",
    "devices/home-0",
    "rollouts",
    `rollouts/${rollout}`,
    "audit",
    "alarms",
    "rehearsals",
  ]) {
    await page.goto(`${origin}/#/${path}`);
    await vi.waitFor(
      async () => {
        const text = (await page.textContent("main")) ?? "";
        expect(text.length > 30 && !text.includes("Asking the server"), `${path}: ${text}`).toBe(true);
      },
      { timeout: 20_000, interval: 100 },
    );
    for (const sentence of await page.locator(".note.bad").allTextContents())
      found.push(`${path}: ${sentence}`);
  }
  return found;
}
