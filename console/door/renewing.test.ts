import { expect, test } from "vitest";
import { renewing } from "./renewing.ts";

const RENEWAL = "/api/session/renewal";

/** A server whose session lasts for so many answers, and can be renewed so often. */
function server(answersEach: number, renewals: number) {
  const asked: string[] = [];
  let [left, renewable] = [answersEach, renewals];
  const fetch = async (path: string): Promise<Response> => {
    asked.push(path);
    await Promise.resolve();
    if (path === RENEWAL) {
      if (renewable === 0) return new Response(null, { status: 401 });
      renewable--;
      left = answersEach;
      return new Response();
    }
    return left-- > 0 ? new Response(path) : new Response(null, { status: 401 });
  };
  const alone = (renew: () => Promise<boolean>): Promise<boolean> => renew();
  return { asked, fetching: renewing({ fetch, path: RENEWAL, alone }), fetch, alone };
}

test("a session that has ended is renewed once for all who find that, and each has their answer", async () => {
  const { asked, fetching } = server(3, 1);
  for (const path of ["/a", "/b", "/c"]) expect((await fetching(path, {})).status).toBe(200);
  const answers = await Promise.all(["/d", "/e", "/f"].map((path) => fetching(path, {})));
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(["/d", "/e", "/f"]);
  expect(asked.filter((path) => path === RENEWAL)).toHaveLength(1);
});

test("what cannot be renewed is refused as it was, and asked once each time", async () => {
  const { asked, fetching } = server(0, 0);
  expect((await fetching("/a", {})).status).toBe(401);
  expect((await fetching("/a", {})).status).toBe(401);
  expect(asked).toEqual(["/a", RENEWAL, "/a", RENEWAL]);
  // Whoever signs in or out is not renewed by that.
  expect((await fetching("/api/session", { method: "DELETE" })).status).toBe(401);
  expect(asked.at(-1)).toBe("/api/session");
});

test("where the renewal itself cannot be asked, the first answer stands, and the next one tries again", async () => {
  const { fetch, alone } = server(0, 1);
  let isDown = true;
  const fetching = renewing({
    fetch: async (path) => {
      if (path === RENEWAL && isDown) throw new TypeError("no network");
      return fetch(path);
    },
    path: RENEWAL,
    alone,
  });
  expect((await fetching("/a", {})).status).toBe(401);
  isDown = false;
  // The session is renewed, and has no answer left: the second fetch is refused, and not renewed for ever.
  expect((await fetching("/a", {})).status).toBe(401);
});
