import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeCrypto } from "@coalmine/device/crypto";
import { DrivenClock } from "@coalmine/runtime";
import type { Hono } from "hono";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AnswerBook } from "../flow/answers.ts";
import { Flow } from "../flow/flow.ts";
import { SiteStep } from "../steps/site-step.ts";
import { Door } from "./door.ts";
import { page } from "./page.ts";

const CODE = "K7QF-2M9X";
let folder: string;
let book: AnswerBook;
let flow: Flow;
let clock: DrivenClock;
let app: Hono;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "page-"));
  book = await AnswerBook.open(join(folder, "answers.json"));
  const language = () => book.answers.language ?? "en";
  flow = new Flow([new SiteStep(book, "rheo-0042")], language);
  clock = new DrivenClock(0, () => new Promise(setImmediate));
  app = page({
    flow,
    door: new Door(CODE, clock, nodeCrypto),
    assets: { html: "<p>page</p>", script: "", style: "" },
    clock,
    language,
    offered: async (name) =>
      name === "label.zpl" ? { type: "text/plain", bytes: new TextEncoder().encode("^XA^XZ") } : undefined,
  });
});
afterEach(() => rm(folder, { recursive: true }));

const post = (door: string, body: unknown, headers: Record<string, string> = {}) =>
  app.request(`/api/${door}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
async function session(): Promise<Record<string, string>> {
  const entered = await post("enter", { code: CODE });
  expect(entered.status).toBe(204);
  const cookie = entered.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^coalmine=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  return { cookie: cookie.split(";")[0] ?? "" };
}

test("only who has the device's code comes in, however it is typed; after five wrong ones the door stays shut a minute", async () => {
  for (const door of ["view", "events", "files/label.zpl"])
    expect((await app.request(`/api/${door}`)).status).toBe(401);
  expect((await post("act", { step: "site", action: "language-de" })).status).toBe(401);
  for (let tries = 1; tries <= 4; tries++) {
    const wrong = await post("enter", { code: `${tries}` });
    expect([wrong.status, await wrong.json()]).toMatchObject([
      401,
      { problem: expect.stringContaining("label") },
    ]);
  }
  expect(await (await post("enter", { code: "5" })).json()).toMatchObject({
    problem: expect.stringContaining("in 60 s"),
  });
  expect((await post("enter", { code: CODE })).status).toBe(401);
  await clock.runUntil(clock.now() + 60_000);
  expect((await post("enter", { code: " k7qf2m9x" })).status).toBe(204);
  expect((await app.request("/api/view", { headers: { cookie: "coalmine=guessed" } })).status).toBe(401);
});

test("what is pressed is done and kept; what is stale, unknown or wrong is refused by a sentence, and nothing happens", async () => {
  const headers = await session();
  expect((await post("act", { step: "site", action: "language-es" }, headers)).status).toBe(204);
  expect(book.answers.language).toBe("es");
  await book.write({ language: "en" });
  const before = JSON.stringify(book.answers);
  const refused: [unknown, number, RegExp][] = [
    [{ step: "clock", action: "keep" }, 409, /Language and site/],
    [{ step: "site", action: "erase" }, 409, /erase/],
    [{ step: "site" }, 400, /action/],
    [{ step: "site", action: "keep", values: { site: 4 } }, 400, /values/],
    ["{", 400, /expected object/],
  ];
  for (const [body, status, sentence] of refused) {
    const answer = await post("act", body, headers);
    expect(answer.status).toBe(status);
    expect((await answer.json()) as object).toMatchObject({ problem: expect.stringMatching(sentence) });
  }
  const form = await post(
    "act",
    { step: "site", action: "language-it" },
    { ...headers, "content-type": "text/plain" },
  );
  expect(form.status).toBe(400);
  const long = await post(
    "act",
    { step: "site", action: "keep", values: { site: "x".repeat(200_000) } },
    headers,
  );
  expect(long.status).toBe(413);
  expect(JSON.stringify(book.answers)).toBe(before);
  await post(
    "act",
    { step: "site", action: "keep", values: { site: "st mary", technician: "Ada" } },
    headers,
  );
  expect(flow.view.blocks[0]).toMatchObject({
    kind: "note",
    tone: "bad",
    detail: expect.stringMatching(/^Site: /),
  });
  await post(
    "act",
    { step: "site", action: "keep", values: { site: "st-mary", technician: "Ada" } },
    headers,
  );
  expect(flow.view.blocks[0]?.kind).toBe("facts");
  const again = await AnswerBook.open(join(folder, "answers.json"));
  expect(again.answers.place).toEqual({ site: "st-mary", technician: "Ada" });
});

test("every page that looks on is sent what there is now and then each change; a slow one the newest only", async () => {
  const headers = await session();
  const answer = await app.request("/api/events", { headers });
  const reader = answer.body?.getReader();
  const next = async (): Promise<string> => new TextDecoder().decode((await reader?.read())?.value);
  expect(await next()).toMatch(/^event: view\ndata: .*"version":0/);
  for (const language of ["es", "pt", "it", "de"])
    await post("act", { step: "site", action: `language-${language}` }, headers);
  const versions: number[] = [];
  while (versions.at(-1) !== flow.view.version) {
    const [, version = ""] = /^event: view\ndata: \{"version":(\d+)/.exec(await next()) ?? [];
    versions.push(Number(version));
  }
  expect(versions.length).toBeLessThan(8);
  const beat = next();
  await clock.runUntil(clock.now() + 15_000);
  expect(await beat).toMatch(/^event: beat/);
  await reader?.cancel();
});

test("a phone that looks for the internet is led to the page; files are given by name and no other", async () => {
  const headers = await session();
  const probe = await app.request("/generate_204");
  expect([probe.status, probe.headers.get("location")]).toEqual([302, "/"]);
  const told = await app.request("http://10.42.7.1/captive");
  expect([told.headers.get("content-type"), await told.json()]).toEqual([
    "application/captive+json",
    { captive: true, "user-portal-url": "http://10.42.7.1/" },
  ]);
  const shown = await app.request("/");
  expect(await shown.text()).toBe("<p>page</p>");
  expect(shown.headers.get("content-security-policy")).toContain("default-src 'self'");
  const label = await app.request("/api/files/label.zpl", { headers });
  expect([await label.text(), label.headers.get("content-disposition")]).toEqual([
    "^XA^XZ",
    'attachment; filename="label.zpl"',
  ]);
  for (const name of ["..%2Fanswers.json", "none"])
    expect((await app.request(`/api/files/${name}`, { headers })).status).toBe(404);
});
