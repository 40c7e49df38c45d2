import { expect, test } from "vitest";
import { follow, type Line } from "./live.ts";

/** A server's log of 200 events, of which a stream tells what came since and is cut after some. */
function server(cutAfter: () => number) {
  const asked: string[] = [];
  const fetch = (_: string, init: RequestInit): Promise<Response> => {
    const since = Number(new Headers(init.headers).get("last-event-id") ?? 0);
    asked.push(String(since));
    const events = Array.from({ length: 200 - since }, (_none, index) => since + index + 1);
    const text = events
      .slice(0, cutAfter())
      .map((id) => `event: entry\nid: ${id}\ndata: ${id}\n\n`)
      .join("");
    // Cut in the middle of what would have come next.
    return Promise.resolve(new Response(`${text}event: entry\nid: 9`));
  };
  return { fetch, asked };
}

test("a stream that is cut fifty times loses no event and doubles none", async () => {
  const stop = new AbortController();
  const heard: number[] = [];
  const lines: Line[] = [];
  const waits: number[] = [];
  const { fetch, asked } = server(() => (asked.length % 7 === 3 ? 0 : 5));
  await follow(
    "/api/events",
    {
      fetch,
      sleep: (ms) => Promise.resolve(void waits.push(ms)),
      heard: ({ data }) => {
        heard.push(Number(data));
        if (heard.length === 200) stop.abort();
      },
      line: (line) => void lines.push(line),
    },
    stop.signal,
  );
  expect(heard).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  expect(asked.length).toBeGreaterThanOrEqual(40);
  // What ends after it told something is no lost line.
  expect(lines.filter((line) => line === "lost").length).toBe(asked.filter((_, at) => at % 7 === 2).length);
  expect(Math.max(...waits)).toBeLessThanOrEqual(8000);
});

test("who is not let in is told so, and does not knock again", async () => {
  const lines: Line[] = [];
  await follow(
    "/api/events",
    {
      fetch: () => Promise.resolve(new Response("{}", { status: 401 })),
      sleep: () => Promise.reject(new Error("it waits")),
      heard: () => undefined,
      line: (line) => void lines.push(line),
    },
    new AbortController().signal,
  );
  expect(lines).toEqual(["refused"]);
});
