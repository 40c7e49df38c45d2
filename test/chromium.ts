import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "@coalmine/runtime";
import chromium from "@sparticuz/chromium";
import { type Browser, chromium as playwright } from "playwright-core";
import { cacheFolder } from "../pipeline/build/cache-folder.ts";

const SYSTEM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** A real Chromium: the one that npm brought, or the system's; or why there is none. */
export type Found = { readonly browser: Browser } | { readonly why: string };

export async function launchChromium(): Promise<Found> {
  const problems: string[] = [];
  for (const find of [unpacked, async () => SYSTEM.find((path) => existsSync(path))]) {
    try {
      const executablePath = await find();
      if (executablePath !== undefined)
        return { browser: await playwright.launch({ executablePath, args: chromium.args, headless: true }) };
    } catch (failure) {
      problems.push(messageOf(failure).split("\n")[0] ?? "");
    }
  }
  return { why: problems.join("; ") };
}

/** It unpacks itself into the folder for temporary files, where it would stay: ours is beside what is built. */
async function unpacked(): Promise<string> {
  const root = dirname(import.meta.dirname);
  const folder = join(cacheFolder(root, process.env), "browser");
  mkdirSync(folder, { recursive: true });
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder;
  try {
    return await chromium.executablePath();
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
}
