import {
  Alarm,
  Alarms,
  logEvents,
  operatorCalls,
  operatorFiles,
  Problem,
  roles,
  streamEvents,
  type Role,
} from "@coalmine/contract/operator-api";
import { expect } from "vitest";
import type * as z from "zod";

/** Something that serves the operators' API, with what is known to be there. */
export interface Served {
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** What whoever has that role shows. */
  readonly headers: Readonly<Record<Role, Readonly<Record<string, string>>>>;
  readonly rollout: string;
  readonly thing: string;
  readonly commit: string;
}

/** Holds whatever serves the API against the contract: what each call answers, to whom, and how it refuses. */
export async function holdAgainstContract(served: Served): Promise<void> {
  const { fetch, headers, ...known } = served;
  const filled = (path: string): string =>
    path.replace(/:(rollout|thing|commit)/g, (_, name: "rollout" | "thing" | "commit") => known[name]);
  const refusal = async (answer: Response): Promise<z.infer<typeof Problem>> => {
    const told = Problem.parse(await answer.json());
    expect(told.sentence.length, told.code).toBeGreaterThan(10);
    return told;
  };
  for (const [name, { method, path, role, answer }] of Object.entries(operatorCalls)) {
    if (role === "anyone") continue;
    const asked = filled(path).replace(":decision", "promote").replace(":alarm", "none");
    const nobody = await fetch(asked, { method });
    expect([name, nobody.status, (await refusal(nobody)).code]).toEqual([name, 401, "ERR_API_SIGN_IN"]);
    for (const lower of roles.slice(0, roles.indexOf(role))) {
      const refused = await fetch(asked, { method, headers: headers[lower] });
      expect([name, refused.status, (await refusal(refused)).code]).toEqual([name, 403, "ERR_API_ROLE"]);
    }
    if (method !== "GET") continue;
    const told = await fetch(asked, { headers: headers[role] });
    expect([name, told.status, told.headers.get("cache-control")]).toEqual([name, 200, "no-store"]);
    const parsed = answer.safeParse(await told.json());
    expect([name, parsed.error?.message]).toEqual([name, undefined]);
  }
  expect(operatorCalls.signIn.answer.safeParse(await (await fetch("/api/sign-in")).json()).success).toBe(
    true,
  );
  for (const [path, status, code] of [
    ["/api/rollouts/none", 404, "ERR_API_NOT_FOUND"],
    ["/api/devices/none", 404, "ERR_API_NOT_FOUND"],
    ["/api/devices?limit=none", 400, "ERR_API_INPUT"],
    ["/api/nothing", 404, "ERR_API_NOT_FOUND"],
  ] as const) {
    const answer = await fetch(path, { headers: headers.admin });
    expect([path, answer.status, (await refusal(answer)).code]).toEqual([path, status, code]);
  }
  const elsewhere = await fetch(`/api/rollouts/${known.rollout}/hold`, {
    method: "POST",
    headers: { ...headers.admin, origin: "https://elsewhere.example", "content-type": "application/json" },
    body: "{}",
  });
  expect([elsewhere.status, (await refusal(elsewhere)).code]).toEqual([403, "ERR_API_ORIGIN"]);
  for (const [path, schemas] of [
    [operatorFiles.events, streamEvents],
    [filled(operatorFiles.logEvents), logEvents],
  ] as const) {
    expect((await fetch(path)).status).toBe(401);
    const events = await firstEvents(await fetch(path, { headers: headers.viewer }));
    expect([path, events[0]?.event, (events[0]?.id ?? "").length > 0]).toEqual([path, "place", true]);
    for (const { event, data } of events.slice(1)) {
      const schema = Object.entries<z.ZodType>(schemas).find(([name]) => name === event)?.[1];
      expect([event, event === "beat" || schema?.safeParse(JSON.parse(data)).success]).toEqual([event, true]);
    }
  }
  await silenceOne(served);
  await acknowledgeOnce(served);
  for (const [as, type, begins] of [
    ["html", "text/html; charset=utf-8", /^<!doctype html>/i],
    ["xml", "application/xml; charset=utf-8", /^<\?xml|^<testsuites/],
  ] as const) {
    const path = `${filled(operatorFiles.rehearsalReport)}?as=${as}`;
    expect((await fetch(path)).status).toBe(401);
    const file = await fetch(path, { headers: headers.viewer });
    expect([file.status, file.headers.get("content-type")]).toEqual([200, type]);
    expect(file.headers.get("content-disposition")).toMatch(/^attachment; filename="rehearsal-\w+\./);
    expect(await file.text()).toMatch(begins);
  }
  const none = await fetch("/api/rehearsals/0000000/report?as=xml", { headers: headers.viewer });
  expect([none.status, (await refusal(none)).code]).toEqual([404, "ERR_API_NOT_FOUND"]);
  const csv = await fetch(`${operatorFiles.auditExport}?as=csv`, { headers: headers.viewer });
  expect([
    csv.headers.get("content-type"),
    (await csv.text()).startsWith('"rollout","sequence","at"'),
  ]).toEqual(["text/csv; charset=utf-8", true]);
}

/** A silence names its end, and sent again it is the same one. */
async function silenceOne({ fetch, headers }: Served): Promise<void> {
  const listed = async () =>
    Alarms.parse(await (await fetch("/api/alarms", { headers: headers.viewer })).json()).alarms;
  const [first] = await listed();
  const silence = (alarm: string, body: object): Promise<Response> =>
    fetch(`/api/alarms/${alarm}/silence`, {
      method: "POST",
      headers: { ...headers.operator, "content-type": "application/json" },
      body: JSON.stringify({ reason: "The site rebuilds", ...body }),
    });
  const forMs = 3_600_000;
  expect((await silence("none", { key: "silence-of-none", forMs })).status).toBe(404);
  expect((await silence(first?.alarm ?? "", { key: "too-long-a-silence", forMs: 1e9 })).status).toBe(400);
  const key = `silence-${Math.random().toString(36).slice(2)}`;
  const told: Alarm["silenced"][] = [];
  for (let sent = 0; sent < 2; sent++)
    told.push(Alarm.parse(await (await silence(first?.alarm ?? "", { key, forMs })).json()).silenced);
  expect((told[0]?.untilMs ?? 0) - (told[0]?.atMs ?? 0)).toBe(forMs);
  expect(told[1]).toEqual(told[0]);
  expect((await listed()).find(({ alarm }) => alarm === first?.alarm)?.silenced).toEqual(told[0]);
}

/** Two people take an alarm on at the same time: one of them has it, and both are told who. */
async function acknowledgeOnce({ fetch, headers }: Served): Promise<void> {
  const { alarms } = Alarms.parse(await (await fetch("/api/alarms", { headers: headers.viewer })).json());
  const acknowledge = (alarm: string, role: Role): Promise<Response> =>
    fetch(`/api/alarms/${alarm}/acknowledge`, {
      method: "POST",
      headers: { ...headers[role], "content-type": "application/json" },
      body: JSON.stringify({ reason: "I look at it", key: `alarm-of-${role}` }),
    });
  expect((await acknowledge("none", "admin")).status).toBe(404);
  expect(alarms.map(({ kind }) => kind).toSorted()).toEqual(["claimRefused", "cloudwatch", "rolloutWaits"]);
  for (const { alarm } of alarms) {
    const answers = await Promise.all([acknowledge(alarm, "operator"), acknowledge(alarm, "admin")]);
    const told = await Promise.all(
      answers.map(async (answer) => Alarm.parse(await answer.json()).acknowledged),
    );
    expect(told[0]?.reason).toBe("I look at it");
    expect(told[1]).toEqual(told[0]);
  }
  const after = Alarms.parse(await (await fetch("/api/alarms", { headers: headers.viewer })).json());
  expect([after.unacknowledged, after.alarms.length]).toEqual([0, alarms.length]);
}

export interface Told {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** What a stream tells at once: at least its first event. */
async function firstEvents(answer: Response): Promise<Told[]> {
  const events: Told[] = [];
  for await (const event of eventsOf(answer)) {
    events.push(event);
    break;
  }
  return events;
}

/** The events of an answer as they come; whoever leaves the loop cuts the stream. */
export async function* eventsOf(answer: Response): AsyncGenerator<Told> {
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
      if (done) return;
      text += value;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const field = (name: string): string =>
          new RegExp(`^${name}: ?(.*)$`, "m").exec(text.slice(0, end))?.[1] ?? "";
        const told = { event: field("event"), id: field("id"), data: field("data") };
        text = text.slice(end + 2);
        yield told;
      }
    }
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}
