import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** Of each child: the library that opens terminals leaves a file open with every one. */
const ROUNDS = 600;
const children = process.env["COALMINE_LONG"] === "1" ? 34 : 1;

test("a process survives ports that hang up while they are closed, in either order and at any distance", async () => {
  for (let child = 0; child < children; child++) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--expose-gc", join(import.meta.dirname, "hang-up.fixture.ts"), String(ROUNDS)],
      { encoding: "utf8" },
    );
    // A fault in the binding ends the child by a signal, which rejects above.
    expect(stdout).toBe(`${ROUNDS}\n`);
  }
}, 600_000);
