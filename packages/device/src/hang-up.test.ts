import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const rounds = process.env["COALMINE_LONG"] === "1" ? 20_000 : 600;

test("a process survives ports that hang up while they are closed, in either order and at any distance", async () => {
  const child = await promisify(execFile)(
    process.execPath,
    ["--expose-gc", join(import.meta.dirname, "hang-up.fixture.ts"), String(rounds)],
    { encoding: "utf8" },
  );
  // A fault in the binding ends the child by a signal, which rejects above.
  expect(child.stdout).toBe(`${rounds}\n`);
}, 600_000);
