import { componentNames, ThingName } from "@coalmine/contract";
import {
  Decided,
  Devices,
  DevicePage,
  Fleets,
  LogPage,
  type Role,
  RolloutMetrics,
  RolloutPage,
  roles,
} from "@coalmine/contract/operator-api";
import { Closing, invariant, silentLog } from "@coalmine/runtime";
import type { Hono } from "hono";
import { handle } from "hono/aws-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readRollout } from "../../pipeline/controller/folded.ts";
import { evidenceRow } from "../../pipeline/evidence/row.ts";
import { EvidenceStore } from "../../pipeline/evidence/evidence-store.ts";
import { operator } from "../../simulator/cloud/protocol/test-cloud.ts";
import { CutListener } from "../../test/cut-listener.ts";
import { deviceLog } from "../../test/device-log.ts";
import { keepOneRehearsal } from "../../test/kept-rehearsal.ts";
import { eventsOf, holdAgainstContract, type Served } from "../../test/operator-contract.ts";
import { listening, throughGateway } from "../../test/ways-to-an-app.ts";
import { raiseAlarms } from "../../test/raise-alarms.ts";
import { doPowerlessDeeds } from "../../test/powerless-deeds.ts";
import { startCloud } from "../../test/rig-cloud.ts";
import { stateOf } from "../decide.ts";
import { closeOperatorRegion, openOperatorRegion } from "../operator-region.ts";
import { ACCOUNT, type Rig, startRig } from "../rig.ts";
import { operatorApp } from "./operator-app.ts";
import { LinkDoor } from "./sign-in/link-door.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
const ORIGIN = "http://127.0.0.1:1";
const COMMIT = "2222222bbbbb";
const closing = new Closing();
let rig: Rig;
let rollout = "";
let app: Hono;
let lambda: Hono;
let doorMs = 0;
let secrets = 0;
const door = new LinkDoor({
  clock: { now: () => doorMs },
  newSecret: () => `secret-${++secrets}-${"x".repeat(20)}`,
  sentence: "Open the link that was printed.",
});
const headers = {} as Record<Role, Record<string, string>>;

beforeAll(async () => {
  rig = await startRig((name, region) => startCloud(closing, name, region), closing, { home: 4 });
  await rig.push(COMMIT, "1.0.1");
  const controller = rig.controller();
  for (let ticks = 0; (await phase()) !== "awaitingPromotion"; ticks++) {
    if (ticks > 300) throw new Error("the canary was not judged");
    const { waits, moved } = await controller.tick();
    if (!moved && waits.length > 0) await rig.home.clock.runUntil(rig.home.clock.now() + 60_000);
  }
  const region = closing.add(openOperatorRegion(rig.home.region.target, ACCOUNT), closeOperatorRegion);
  const parts = {
    api: rig.api,
    regions: [region] as const,
    clock: {
      now: () => rig.home.clock.now(),
      monotonicMs: () => performance.now(),
      // A second of a stream is a hundredth here.
      sleep: (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms / 100)),
    },
    log: silentLog,
    door,
    origin: ORIGIN,
    name: "test",
  };
  app = operatorApp({ ...parts, canFollow: true }) as unknown as Hono;
  lambda = operatorApp({ ...parts, canFollow: false }) as unknown as Hono;
  for (const role of roles) headers[role] = await signedIn(app, role);
  await sayThings();
}, 300_000);
afterAll(() => closing.close());

const enter = async (by: Hono, token: string): Promise<Response> =>
  by.request("/api/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token }),
  });
/** Signs in as the console does: by a link, for a cookie. */
async function signedIn(by: Hono, role: Role): Promise<Record<string, string>> {
  const answer = await enter(by, door.link({ who: `an ${role}`, role }));
  const cookie = answer.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^coalmine_session=\S+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  return { cookie: cookie.split(";")[0] ?? "" };
}

async function sayThings(): Promise<void> {
  const { target } = rig.home.region;
  await keepOneRehearsal(rig.home.region, COMMIT);
  await raiseAlarms(closing, rig.home.region, rig.home.clock);
  put = await deviceLog(closing, target, "home-0", () => rig.home.clock.now());
}
let put: (messages: readonly string[]) => Promise<void>;

async function phase(): Promise<string | undefined> {
  rollout = (await rig.api.log.list(1))[0]?.rollout ?? "";
  if (rollout === "") return undefined;
  return (await readRollout(rig.api.log, rollout))?.planned?.rollout.phase.phase;
}
const ask = (
  path: string,
  role?: Role,
  init: { readonly method?: string; readonly body?: string; readonly headers?: Record<string, string> } = {},
): Promise<Response> =>
  Promise.resolve(
    app.request(path, {
      ...init,
      headers: { ...(role === undefined ? {} : headers[role]), ...init.headers },
    }),
  );
const decide = (decision: string, body: unknown, role: Role = "operator"): Promise<Response> =>
  ask(`/api/rollouts/${rollout}/${decision}`, role, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const shown = async (): Promise<ReturnType<typeof RolloutPage.parse>> =>
  RolloutPage.parse(await (await ask(`/api/rollouts/${rollout}`, "viewer")).json());
const entries = (): Promise<number> => rig.api.log.entries(rollout).then(({ length }) => length);
let keys = 0;
const key = (): string => `decision-${++keys}`;

const known = (fetch: Served["fetch"]): Served => ({
  fetch,
  headers,
  rollout,
  thing: "home-0",
  commit: COMMIT,
});

test("the server on this machine keeps the contract", async () => {
  const server = await listening(app);
  try {
    const address = server.address();
    invariant(typeof address === "object" && address !== null, "the server has no port");
    await holdAgainstContract(known((path, init) => fetch(`http://127.0.0.1:${address.port}${path}`, init)));
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("the same behind API Gateway keeps the contract", async () => {
  await holdAgainstContract(known(throughGateway(handle(lambda))));
});

test("a page has the rollout in a sentence, by stages, and what each decision would do", async () => {
  const { phase: at, headline, stages, choices, seen, targets } = await shown();
  expect([at, headline.includes("every target's verdict is PROMOTE"), targets[0]?.devices]).toEqual([
    "awaitingPromotion",
    true,
    { all: 4, canary: 1, exposed: 1 },
  ]);
  expect(stages.map(({ stage, state }) => `${stage} ${state}`)).toEqual([
    "planned done",
    "canary done",
    "soak done",
    "promotion now",
    ...stages.filter(({ stage }) => stage === "wave").map(() => "wave next"),
    "verify next",
  ]);
  expect(stages[3]?.targets[0]?.deadline?.name).toBe("approval");
  expect(seen["home"]?.stale).toBe(false);
  const [promote, , resume, rollback] = choices;
  expect([promote?.refusedBecause, promote?.reach, rollback?.reach]).toEqual([undefined, 3, 1]);
  expect(promote?.targets[0]?.diff.changed).toEqual([
    { name: componentNames.inference, from: "1.0.0", to: "1.0.1" },
  ]);
  expect(resume?.refusedBecause).toMatch(/held|resume/);
});

test("metrics have both arms at every look, with how many devices said something", async () => {
  const { targets } = RolloutMetrics.parse(
    await (await ask(`/api/rollouts/${rollout}/metrics`, "viewer")).json(),
  );
  const [home] = targets;
  expect(home?.arms).toEqual({ canary: 1, baseline: 3 });
  const failed = home?.metrics.find(({ looks }) => looks.some(({ baseline }) => baseline !== null));
  expect(failed?.looks.at(-1)?.baseline?.devices).toBe(3);
  expect(failed?.looks.at(-1)?.canary).toMatchObject({ devices: 1, low: null });
});

test("fleets and devices have their versions, their state and how old that is; a device has its page and its lines", async () => {
  const { fleets } = Fleets.parse(await (await ask("/api/fleets", "viewer")).json());
  expect(fleets[0]).toMatchObject({ fleet: "home", devices: 4, rollout, byState: { well: 4 } });
  expect(fleets[0]?.installed.filter(({ component }) => component === componentNames.inference)).toEqual([
    { component: componentNames.inference, version: "1.0.0", canary: 0, main: 3, drifted: 0 },
    { component: componentNames.inference, version: "1.0.1", canary: 1, main: 0, drifted: 0 },
  ]);
  const list = async (query: string): Promise<ReturnType<typeof Devices.parse>> =>
    Devices.parse(await (await ask(`/api/devices?${query}`, "viewer")).json());
  const onCandidate = await list(`runs=${componentNames.inference}@1.0.1`);
  expect([onCandidate.total, onCandidate.devices[0]?.cohort]).toEqual([1, "canary"]);
  const first = await list("limit=3");
  const second = await list(`limit=3&after=${first.next ?? ""}`);
  expect([first.total, first.devices.length, second.devices.length, second.next]).toEqual([
    4,
    3,
    1,
    undefined,
  ]);
  const page = DevicePage.parse(await (await ask("/api/devices/home-0", "viewer")).json());
  expect([page.state, page.seen?.stale, page.components.map(({ component }) => component)]).toMatchObject([
    "well",
    false,
    expect.arrayContaining([componentNames.inference]),
  ]);
  await put(["one", '{"level":"WARN","message":"two"}']);
  await rig.home.clock.runUntil(rig.home.clock.now() + 2000);
  const log = LogPage.parse(await (await ask("/api/devices/home-0/logs", "viewer")).json());
  expect(log.lines.map(({ message, level }) => [message.slice(0, 3), level])).toEqual([
    ["one", undefined],
    ['{"l', "WARN"],
  ]);
  const before = LogPage.parse(
    await (await ask(`/api/devices/home-0/logs?before=${log.lines[1]?.cursor ?? ""}`, "viewer")).json(),
  );
  expect(before.lines.map(({ message }) => message)).toEqual(["one"]);
});

test("a log that is followed and cut again and again tells every line once", async () => {
  const { cursor } = LogPage.parse(await (await ask("/api/devices/home-0/logs", "viewer")).json());
  const told: string[] = [];
  let id = cursor;
  for (let cut = 0; cut < 10; cut++) {
    await put([`${cut} a`, `${cut} b`, `${cut} c`]);
    await rig.home.clock.runUntil(rig.home.clock.now() + 1500);
    let lines = 0;
    const answer = await ask("/api/devices/home-0/logs/events", "viewer", {
      headers: { "last-event-id": id },
    });
    for await (const event of eventsOf(answer)) {
      id = event.id;
      if (event.event !== "line") continue;
      told.push((JSON.parse(event.data) as { message: string }).message);
      if (++lines === 2 + (cut % 3)) break;
      if (told.length === 3 * (cut + 1)) break;
    }
  }
  for await (const event of eventsOf(
    await ask("/api/devices/home-0/logs/events", "viewer", { headers: { "last-event-id": id } }),
  )) {
    if (event.event === "line") told.push((JSON.parse(event.data) as { message: string }).message);
    if (event.event === "beat") break;
  }
  expect(told.toSorted()).toEqual(
    Array.from({ length: 10 }, (_, cut) => [`${cut} a`, `${cut} b`, `${cut} c`]).flat(),
  );
});

test("no sequence of calls by a viewer, a technician or nobody changes anything", async () => {
  const before = [await entries(), rig.versions()];
  const { state } = await shown();
  const used = door.link({ who: "an admin", role: "admin" });
  await door.enter(used);
  const over = [await signedIn(app, "admin"), await signedIn(app, "viewer")];
  doorMs += 13 * 3_600_000;
  const signed = [await signedIn(app, "viewer"), await signedIn(app, "technician")];
  await doPowerlessDeeds(app, { signed, over, used, rollout, thing: "home-0", commit: COMMIT, state });
  for (const role of roles) headers[role] = await signedIn(app, role);
  expect([await entries(), rig.versions()]).toEqual(before);
}, 60_000);

test("a decision is refused by a sentence where it has no reason, no such kind, or was made on what is over [rollout-1.7]", async () => {
  const { state } = await shown();
  const before = await entries();
  const refused: [Response, number, RegExp][] = [
    [await decide("promote", { reason: " ", state, key: key() }), 400, /a reason is needed/],
    [await decide("promote", { reason: "well", state }), 400, /key/],
    [await decide("explode", { reason: "well", state, key: key() }), 400, /promote/],
    [
      await decide("promote", { reason: "well", state: "0".repeat(16), key: key() }),
      409,
      /has moved on since it was looked at/,
    ],
    [await decide("resume", { reason: "well", state, key: key() }), 409, /coalmine rollout/],
    [await decide("promote", { reason: "x".repeat(20_000), state, key: key() }), 413, /bytes/],
  ];
  for (const [answer, status, sentence] of refused)
    expect([answer.status, await answer.json()]).toMatchObject([
      status,
      { sentence: expect.stringMatching(sentence), next: expect.stringMatching(/\.$/) },
    ]);
  const body = JSON.stringify({ reason: "well", state, key: key() });
  expect((await ask(`/api/rollouts/${rollout}/promote`, "operator", { method: "POST", body })).status).toBe(
    400,
  );
  expect(await entries()).toBe(before);
});

test("a session that is over, and a link that is lost, decide nothing and say so", async () => {
  const { state } = await shown();
  const before = await entries();
  const mine = await signedIn(app, "operator");
  const unused = door.link({ who: "ada", role: "admin" });
  const stream = eventsOf(await app.request("/api/events", { headers: mine }));
  expect((await stream.next()).value?.event).toBe("place");
  doorMs += 13 * 3_600_000;
  // A stream ends with its listener's session: all that comes still is its last beat.
  for await (const { event } of stream) expect(event).toBe("beat");
  const over = await app.request(`/api/rollouts/${rollout}/promote`, {
    method: "POST",
    headers: { ...mine, "content-type": "application/json" },
    body: JSON.stringify({ reason: "well", state, key: key() }),
  });
  expect([over.status, await over.json()]).toMatchObject([
    401,
    { code: "ERR_API_SIGN_IN", next: "Sign in again." },
  ]);
  for (const token of [unused, "made-up"]) {
    const entered = await enter(app, token);
    expect([entered.status, entered.headers.get("set-cookie")]).toEqual([401, null]);
  }
  for (const role of roles) headers[role] = await signedIn(app, role);
  expect((await app.request("/api/session", { method: "DELETE", headers: headers.admin })).status).toBe(200);
  expect((await ask("/api/me", "admin")).status).toBe(401);
  headers.admin = await signedIn(app, "admin");
  expect(await entries()).toBe(before);
});

test("a stream that is cut fifty times tells every decision and every device's word once, in order, within two seconds", async () => {
  const store = new EvidenceStore(rig.home.region.dynamodb, "home");
  const listener = new CutListener((headers) => ask("/api/events", "viewer", { headers }));
  const said: string[] = [];
  const tookMs: number[] = [];
  await listener.begin();
  const from = await entries();
  for (let cut = 0; cut < 50; cut++) {
    const begunMs = performance.now();
    const atMs = rig.home.clock.now() + cut;
    const thing = ThingName.parse(`home-${cut % 4}`);
    const heartbeat = { version: 1 as const, thing, sentMs: atMs, sequence: 10_000 + cut, components: [] };
    await store.put(evidenceRow(heartbeat, atMs));
    said.push(`${thing}@${atMs}`);
    const decides = cut % 5 === 0;
    if (decides) {
      const { state, phase: at } = await shown();
      const kind = at === "held" ? "resume" : "hold";
      expect((await decide(kind, { reason: `cut ${cut}`, state, key: key() })).status).toBe(200);
    }
    // Often it is cut before all was heard.
    await listener.hear(decides && cut % 3 !== 2 ? 2 : 1);
    tookMs.push(performance.now() - begunMs);
  }
  const to = await entries();
  await listener.hear(said.length + (to - from) - listener.heard.length);
  expect(listener.heard.filter((one) => one.includes("/"))).toEqual(
    Array.from({ length: to - from }, (_, index) => `${rollout}/${from + index}`),
  );
  expect(listener.heard.filter((one) => one.includes("@"))).toEqual(said);
  expect(to - from).toBe(10);
  expect(tookMs.toSorted((a, b) => a - b)[47]).toBeLessThan(2000);
}, 60_000);

test("two operators decide at the same time, and one asks twice: one decision is carried out [rollout-1.7] [rollout-1.8]", async () => {
  const { state } = await shown();
  const before = await entries();
  const mine = { reason: "looks well", state, key: key() };
  const answers = await Promise.all([
    decide("promote", mine),
    decide("rollback", { reason: "I do not trust it", state, key: key() }, "admin"),
    decide("promote", mine),
  ]);
  const again = await decide("promote", mine);
  const { planned } = (await readRollout(rig.api.log, rollout)) ?? {};
  const at = planned?.rollout.phase.phase;
  expect(await entries()).toBe(before + 1);
  expect(["waves", "rollingBack"]).toContain(at);
  expect(answers.filter(({ status }) => status === 409).length).toBe(at === "waves" ? 1 : 2);
  expect(again.status).toBe(at === "waves" ? 200 : 409);
  if (at === "waves") expect(Decided.parse(await again.json()).sequence).toBe(before);
  expect(planned && stateOf(planned.rollout)).not.toBe(state);
});
