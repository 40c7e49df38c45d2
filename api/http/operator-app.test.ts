import {
  AuditEntry,
  Decided,
  operatorCalls,
  type OperatorCall,
  type Person,
  type Role,
  roles,
  ShownRollout,
} from "@coalmine/contract/operator-api";
import { Closing } from "@coalmine/runtime";
import fc from "fast-check";
import type { Hono } from "hono";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readRollout } from "../../pipeline/controller/folded.ts";
import { operator } from "../../simulator/cloud/protocol/test-cloud.ts";
import { startCloud } from "../../test/rig-cloud.ts";
import { stateOf } from "../decide.ts";
import { type Rig, startRig } from "../rig.ts";
import { operatorApp } from "./operator-app.ts";

process.env["AWS_ACCESS_KEY_ID"] = operator.accessKeyId;
process.env["AWS_SECRET_ACCESS_KEY"] = operator.secretAccessKey;
const closing = new Closing();
let rig: Rig;
let rollout = "";
let app: Hono;
beforeAll(async () => {
  rig = await startRig((name, region) => startCloud(closing, name, region), closing, { home: 4 });
  await rig.push("2222222bbbbb", "1.0.1");
  const controller = rig.controller();
  for (let ticks = 0; (await phase()) !== "awaitingPromotion"; ticks++) {
    if (ticks > 300) throw new Error("the canary was not judged");
    const { waits, moved } = await controller.tick();
    if (!moved && waits.length > 0) await rig.home.clock.runUntil(rig.home.clock.now() + 60_000);
  }
  app = operatorApp({
    api: rig.api,
    regions: rig.options.regions,
    clock: { sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms / 50)) },
    // Whoever stands behind the door is another test's: here a header says it.
    whoever: async (request) => {
      const role = roles.find((one) => one === request.headers.get("x-role"));
      return role === undefined ? undefined : { who: `an ${role}`, role };
    },
  }) as unknown as Hono;
}, 300_000);
afterAll(() => closing.close());

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
      headers: { ...(role === undefined ? {} : { "x-role": role }), ...init.headers },
    }),
  );
const decide = (decision: string, body: unknown, role: Role = "operator"): Promise<Response> =>
  ask(`/api/rollouts/${rollout}/${decision}`, role, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
async function shown(): Promise<ReturnType<typeof ShownRollout.parse>> {
  return ShownRollout.parse(await (await ask(`/api/rollouts/${rollout}`, "viewer")).json());
}
const entries = (): Promise<number> => rig.api.log.entries(rollout).then(({ length }) => length);
let keys = 0;
const key = (): string => `decision-${++keys}`;

test("every call answers what the contract says, to whoever has its role and to nobody else", async () => {
  for (const [name, { method, path, role, answer }] of Object.entries(operatorCalls)) {
    if (method !== "GET") continue;
    const asked = path.replace(":rollout", rollout);
    expect((await ask(asked)).status, name).toBe(401);
    const answered = await ask(asked, role);
    expect(answered.status, name).toBe(200);
    const body: unknown = await answer.parseAsync(await answered.clone().json());
    // Nothing but what the contract names, or it would not be one.
    expect(Object.keys(body as object).length, name).toBeGreaterThan(0);
  }
  expect(await (await ask("/api/me", "technician")).json()).toEqual({
    who: "an technician",
    role: "technician",
  } satisfies Person);
  const { phase: at, next, why, targets } = await shown();
  expect([at, next.includes("promote"), why.length > 1, targets[0]?.devices]).toEqual([
    "awaitingPromotion",
    true,
    true,
    { all: 4, canary: 1, exposed: 1 },
  ]);
  const audit = await (await ask(`/api/rollouts/${rollout}/audit`, "viewer")).json();
  expect(AuditEntry.parse((audit as { entries: unknown[] }).entries[0]).kind).toBe("planned");
  for (const [path, status, code] of [
    ["/api/rollouts/none", 404, "ERR_API_NOT_FOUND"],
    ["/api/nothing", 404, "ERR_API_NOT_FOUND"],
  ] as const)
    expect([await (await ask(path, "admin")).json(), (await ask(path, "admin")).status]).toMatchObject([
      { code },
      status,
    ]);
});

test("no sequence of calls by a viewer or a technician changes anything", async () => {
  const before = [await entries(), rig.versions()];
  const { state } = await shown();
  const call = fc.constantFrom<OperatorCall>(...(Object.keys(operatorCalls) as OperatorCall[]));
  const deed = fc.record({
    call,
    role: fc.constantFrom<Role>("viewer", "technician"),
    method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH"),
    decision: fc.constantFrom("promote", "hold", "resume", "rollback", "emergency", "..%2fpromote"),
    name: fc.constantFrom(rollout, rollout.slice(0, 3), "%23index", ""),
    body: fc.constantFrom<unknown>(
      { reason: "r", state, key: "a-key-of-mine" },
      {},
      { role: "admin", reason: "r", state, key: "another-key" },
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 8 }), async (deeds) => {
      for (const { call: name, role, method, decision, name: named, body } of deeds) {
        const path = operatorCalls[name].path.replace(":rollout", named).replace(":decision", decision);
        const answered = await ask(path, role, {
          method,
          ...(method === "GET"
            ? {}
            : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
        });
        if (method !== "GET") expect(answered.status).toBeGreaterThanOrEqual(400);
        await answered.body?.cancel();
      }
    }),
    { numRuns: 60, seed: 7 },
  );
  expect([await entries(), rig.versions()]).toEqual(before);
});

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
      { problem: expect.stringMatching(sentence) },
    ]);
  const noForm = await ask(`/api/rollouts/${rollout}/promote`, "operator", {
    method: "POST",
    body: JSON.stringify({ reason: "well", state, key: key() }),
  });
  expect(noForm.status).toBe(400);
  expect(await entries()).toBe(before);
});

test("a stream that is cut again and again tells every event once, in order", async () => {
  const all: string[] = [];
  let id: string | undefined;
  const listen = async (events: number): Promise<void> => {
    const answer = await ask("/api/events", "viewer", {
      headers: id === undefined ? {} : { "last-event-id": id },
    });
    const reader = answer.body?.getReader();
    let text = "";
    for (let seen = 0; seen < events;) {
      const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
      if (done) break;
      text += new TextDecoder().decode(value);
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const [event = "", data = "", at = ""] = ["event", "data", "id"].map(
          (field) => new RegExp(`^${field}: (.*)$`, "m").exec(text.slice(0, end))?.[1],
        );
        text = text.slice(end + 2);
        if (at !== "") id = at;
        if (event === "place") seen++;
        if (event !== "entry" || seen >= events) continue;
        seen++;
        const { rollout: of, sequence } = JSON.parse(data) as { rollout: string; sequence: number };
        all.push(`${of}/${sequence}`);
      }
    }
    await reader?.cancel();
  };
  await listen(1);
  const from = await entries();
  for (let cut = 0; cut < 10; cut++) {
    const { state, phase: at } = await shown();
    const decided = await decide(at === "held" ? "resume" : "hold", {
      reason: `cut ${cut}`,
      state,
      key: key(),
    });
    expect(decided.status).toBe(200);
    await listen(2);
  }
  const to = await entries();
  expect(all).toEqual(Array.from({ length: to - from }, (_, index) => `${rollout}/${from + index}`));
  expect(to - from).toBeGreaterThanOrEqual(10);
});

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
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 409).length).toBe(at === "waves" ? 1 : 2);
  expect(again.status).toBe(at === "waves" ? 200 : 409);
  if (at === "waves") expect(Decided.parse(await again.json()).sequence).toBe(before);
  expect(planned && stateOf(planned.rollout)).not.toBe(state);
});
