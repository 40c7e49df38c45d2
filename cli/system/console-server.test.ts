import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterAll, expect, test } from "vitest";
import { KeptDocuments } from "../../pipeline/controller/kept.ts";
import { closeRegion, openRegion } from "../../pipeline/controller/region.ts";
import { RolloutLog } from "../../pipeline/controller/rollout-log.ts";
import { targetTime } from "../../pipeline/controller/target-time.ts";
import type { Target } from "../../pipeline/target.ts";
import { askForLink, type ConsoleServer, startConsole } from "./console-server.ts";
import { places } from "./state.ts";

const base = mkdtempSync(join(tmpdir(), "console-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const root = join(base, "checkout");
const at = places(root, { COALMINE_STATE: base });
mkdirSync(at.state, { recursive: true });
// Nobody listens there: signing in asks no cloud.
const target: Target = {
  name: "home",
  region: "us-east-1",
  endpoint: "http://127.0.0.1:9",
  artifactBucket: "artifacts",
  lakeBucket: "lake",
  canaryGroup: "canary",
  mainGroup: "main",
};

async function serving(): Promise<ConsoleServer> {
  const region = openRegion(target, "123456789012");
  const served = await startConsole({
    at,
    api: {
      log: new RolloutLog(region.dynamodb, systemClock),
      kept: new KeptDocuments(region.s3, "artifacts"),
      targets: [target],
      time: targetTime({ clock: systemClock, controlTokens: {}, tickMs: 1000 }),
    },
    targets: [target],
    log: silentLog,
  });
  return {
    link: () => served.link(),
    close: async () => {
      await served.close();
      closeRegion(region);
    },
  };
}

async function enter(link: string): Promise<Response> {
  const { origin, hash } = new URL(link);
  return fetch(`${origin}/api/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin },
    body: JSON.stringify({ token: hash.slice("#token=".length) }),
  });
}

test("a printed link opens the console's API once; another comes from whoever has this state; the address stays", async () => {
  const served = await serving();
  const link = served.link();
  const { origin } = new URL(link);
  try {
    const opened = await enter(link);
    expect(await opened.json()).toMatchObject({ role: "admin" });
    const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect((await fetch(`${origin}/api/me`, { headers: { cookie } })).status).toBe(200);
    expect((await enter(link)).status).toBe(401);
    const viewer = await enter(await askForLink(at, "viewer"));
    expect(await viewer.json()).toMatchObject({ role: "viewer" });
    await expect(askForLink(at, "king")).rejects.toThrow(/viewer, technician, operator, admin/);
    expect((await fetch(`${origin}/links`, { method: "POST", body: "{}" })).status).toBe(403);
    // Without built pages it says so.
    const page = await fetch(`${origin}/`);
    expect([page.status, (await page.text()).includes("console/build.ts")]).toEqual([503, true]);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'");
  } finally {
    await served.close();
  }
  mkdirSync(join(root, "console"), { recursive: true });
  writeFileSync(
    join(root, "console/build.ts"),
    `import { mkdirSync, writeFileSync } from "node:fs";
     const out: string = process.argv[3] ?? "";
     mkdirSync(out + "/parts", { recursive: true });
     writeFileSync(out + "/index.html", "<!doctype html><title>built</title>");
     writeFileSync(out + "/parts/a-1.js", "1");`,
  );
  const again = await serving();
  try {
    expect(new URL(again.link()).origin).toBe(origin);
    expect(await (await fetch(`${origin}/`)).text()).toContain("built");
    const part = await fetch(`${origin}/parts/a-1.js`);
    expect([part.headers.get("content-type"), part.headers.get("cache-control")]).toEqual([
      "text/javascript; charset=utf-8",
      "public, max-age=31536000, immutable",
    ]);
    expect((await fetch(`${origin}/..%2fconsole.json`)).status).toBe(404);
  } finally {
    await again.close();
  }
});
