import { expect, test } from "vitest";
import { asking, type Calls } from "./asking.ts";
import { keptAnswers } from "./kept-answers.ts";

class MemoryStorage {
  readonly #items = new Map<string, string>();
  room = Infinity;
  get length(): number {
    return this.#items.size;
  }
  key = (index: number): string | null => [...this.#items.keys()][index] ?? null;
  getItem = (name: string): string | null => this.#items.get(name) ?? null;
  removeItem = (name: string): void => void this.#items.delete(name);
  setItem(name: string, value: string): void {
    if (value.length > this.room) throw new Error("quota");
    this.#items.set(name, value);
  }
}

const storage = new MemoryStorage();
let now = 0;
const kept = keptAnswers(storage, () => now);

test("an answer is kept with its age, the oldest of many goes, and what does not fit takes the others with it", () => {
  storage.setItem("language", "de");
  for (now = 1; now <= 41; now++) kept.keep(`page ${now}`, { page: now });
  now = 100;
  expect(kept.last("page 1")).toBeUndefined();
  expect(kept.last("page 2")).toEqual({ value: { page: 2 }, ageMs: 98 });
  storage.room = 5;
  kept.keep("page 50", { page: 50 });
  expect(kept.last("page 2")).toBeUndefined();
  expect(storage.getItem("language")).toBe("de");
  storage.room = Infinity;
});

test("where the server is not reached, the last answer to the same question comes with the refusal; another person gets none", async () => {
  const shape = { type: "object" };
  const calls = {
    me: { method: "GET", path: "/me", shape },
    device: { method: "GET", path: "/devices/:thing", shape },
    leave: { method: "POST", path: "/leave", shape },
    decide: { method: "POST", path: "/decide", shape },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- those that are asked here.
  } as unknown as Calls;
  let answer: (() => Response) | undefined;
  const fetch = async (): Promise<Response> => {
    if (answer === undefined) throw new TypeError("no network");
    return answer();
  };
  const says =
    (value: object, status = 200) =>
    () =>
      Response.json(value, { status });
  let heard = 0;
  const ask = asking({ calls, fetch, kept, answered: () => void heard++, signedOut: () => undefined });
  answer = says({ who: "ada", role: "operator", expiresInMs: 5 });
  await ask("me");
  answer = says({ thing: "one" });
  await ask("device", { thing: "one" });
  await ask("decide", {}, {});
  answer = undefined;
  now += 7000;
  expect(await ask("device", { thing: "one" })).toMatchObject({
    code: "unreachable",
    last: { value: { thing: "one" }, ageMs: 7000 },
  });
  expect(await ask("device", { thing: "two" })).not.toHaveProperty("last");
  expect(await ask("decide", {}, {})).not.toHaveProperty("last");
  expect(heard).toBe(3);
  // The same person anew, then another, then nobody.
  answer = says({ who: "ada", role: "operator", expiresInMs: 4 });
  await ask("me");
  answer = undefined;
  expect(await ask("device", { thing: "one" })).toHaveProperty("last");
  await ask("leave");
  expect(await ask("device", { thing: "one" })).not.toHaveProperty("last");
  answer = says({ who: "ada", role: "operator", expiresInMs: 4 });
  await ask("me");
  await ask("device", { thing: "one" });
  answer = says({ who: "bo", role: "viewer", expiresInMs: 9 });
  await ask("me");
  answer = undefined;
  expect(await ask("device", { thing: "one" })).not.toHaveProperty("last");
  answer = says({ code: "ERR_API_SESSION", sentence: "", next: "" }, 401);
  await ask("device", { thing: "one" });
  answer = undefined;
  expect(await ask("me")).not.toHaveProperty("last");
});
