import { operatorCalls, type OperatorCall } from "@coalmine/contract/operator-api";
import fc from "fast-check";
import type { Hono } from "hono";
import { expect } from "vitest";

export interface Powerless {
  /** Headers of a viewer's and a technician's sessions, and of sessions that are over. */
  readonly signed: readonly Readonly<Record<string, string>>[];
  readonly over: readonly Readonly<Record<string, string>>[];
  /** The token of an admin's link that is used up. */
  readonly used: string;
  readonly rollout: string;
  readonly thing: string;
  readonly commit: string;
  readonly state: string;
}

const base64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Any calls, in any order, by people who may change nothing: each that is no read is refused. */
export async function doPowerlessDeeds(app: Hono, known: Powerless): Promise<void> {
  const { signed, over, used, rollout, state } = known;
  const calls = Object.values<(typeof operatorCalls)[OperatorCall]>(operatorCalls);
  const deed = fc.record({
    // Whoever leaves ends only their own session, which later deeds need.
    path: fc.constantFrom(...calls.map(({ path }) => path).filter((path) => path !== "/api/session")),
    shows: fc.constantFrom<Readonly<Record<string, string>>>(
      ...signed,
      ...over,
      { cookie: `coalmine_session=${used}` },
      {
        authorization: `Bearer ${base64({ alg: "none" })}.${base64({ "cognito:groups": ["coalmine-admin"] })}.`,
      },
      { cookie: `${signed[0]?.["cookie"] ?? ""}; coalmine_session=${used}` },
      { ...signed[1], "x-role": "admin", "x-http-method-override": "POST" },
      {},
    ),
    method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH"),
    decision: fc.constantFrom("promote", "hold", "resume", "rollback", "emergency", "..%2fpromote"),
    name: fc.constantFrom(rollout, rollout.slice(0, 3), "%23index", ""),
    body: fc.constantFrom<unknown>(
      { reason: "r", state, key: "a-key-of-mine" },
      {},
      { role: "admin", reason: "r", state, key: "another-key" },
      { token: used },
    ),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 8 }), async (deeds) => {
      for (const { path, shows, method, decision, name, body } of deeds) {
        const asked = path
          .replace(":rollout", name)
          .replace(":decision", decision)
          .replace(":thing", known.thing)
          .replace(":commit", known.commit);
        const isRead = method === "GET";
        const answered = await app.request(asked, {
          method,
          headers: { ...shows, ...(isRead ? {} : { "content-type": "application/json" }) },
          ...(isRead ? {} : { body: JSON.stringify(body) }),
        });
        if (!isRead) expect(answered.status).toBeGreaterThanOrEqual(400);
        await answered.body?.cancel();
      }
    }),
    { numRuns: 40, seed: 7 },
  );
  const entered = await app.request("/api/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: used }),
  });
  expect(entered.status).toBe(401);
}
