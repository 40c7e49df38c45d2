import { expect, test } from "vitest";
import { shareOf } from "./profile.ts";

const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
  id,
  callFrame: { functionName, url },
  children,
});

test("a file's part is its own time and that of what it calls of the engine, not of other files; rest counts for nobody", () => {
  const profile = {
    nodes: [
      node(1, "(root)", "", [2, 6, 7]),
      node(2, "own", "file:///a/component.mjs", [3, 4]),
      node(3, "hash", "node:internal/crypto/hash", [5]),
      node(4, "other", "file:///a/port.ts"),
      node(5, "native", ""),
      node(6, "(garbage collector)", ""),
      node(7, "(idle)", ""),
    ],
    samples: [2, 3, 4, 5, 6, 7],
    timeDeltas: [10, 20, 40, 5, 25, 1000],
  };
  expect(shareOf(profile, (url) => url.endsWith("/component.mjs"))).toBe(0.35);
});
