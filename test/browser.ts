import type { Browser } from "playwright-core";
import { test } from "vitest";
import { launchChromium } from "./chromium.ts";

/** Of this file's tests; whoever imports it closes it. */
export const found = await launchChromium();

/** A test that needs a browser: without one it is named as not run, and where `CI` is set it fails. */
export function browserTest(name: string, timeoutMs: number, run: (browser: Browser) => Promise<void>): void {
  if ("browser" in found) test(name, { timeout: timeoutMs }, () => run(found.browser));
  else if (process.env["CI"] === undefined) test.skip(`${name} (no browser: ${found.why})`, () => undefined);
  else
    test(name, () => {
      throw new Error(`no browser starts here: ${found.why}`);
    });
}
