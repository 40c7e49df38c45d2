import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Bundle } from "./bundle.ts";
import { judge } from "./judge.ts";

/** Of the example's verdict as JSON, written down on x64: any other machine has to come to the same bytes. */
const DIGEST = "13a0c32774fbd7329cdfa1b4fccc22d61fcc1873746ba0ee8d713389f8a81b0b";

function verdictDigest(): string {
  const text = readFileSync(new URL("../../docs/judge-bundle.example.json", import.meta.url), "utf8");
  const verdict = JSON.stringify(judge(Bundle.parse(JSON.parse(text))));
  return createHash("sha256").update(verdict).digest("hex");
}

for (const arch of ["x64", "arm64"])
  // Each machine runs the one that bears its name; the other is said not to have run.
  test(
    `the example's verdict has the same bytes on every machine: on ${arch} [judge-5.1] [judge-5.3]`,
    { skip: arch !== process.arch },
    () => {
      expect(verdictDigest()).toBe(DIGEST);
    },
  );
