import { expect, test } from "vitest";
import { OrderedCommits } from "./ordered-commits.ts";

test("who asked first is answered first, whichever commit ends first, and a failure is told to its own asker alone", async () => {
  const ends: { resolve: () => void; reject: (failure: Error) => void }[] = [];
  const commits = new OrderedCommits({
    commit: () => new Promise((resolve, reject) => ends.push({ resolve, reject })),
  });
  const said: string[] = [];
  const asked = ["a", "b", "c"].map((who) =>
    commits.next().then(
      () => said.push(who),
      () => said.push(`${who} failed`),
    ),
  );
  ends[2]?.resolve();
  ends[1]?.reject(new Error("the disk is full"));
  await new Promise(setImmediate);
  expect(said).toEqual([]);
  ends[0]?.resolve();
  await Promise.all(asked);
  expect(said).toEqual(["a", "b failed", "c"]);
});
