import { spawn } from "node:child_process";
import { join } from "node:path";
import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";
import type { Outcome } from "./layer.ts";

/** A program of the rehearsal came to no verdict. */
export class NoVerdict extends CoalmineError {
  readonly code = "ERR_NO_VERDICT";
}

const Verdict = z.object({
  verdict: z.string(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), found: z.string() })),
  seconds: z.number(),
  hours: z.number().optional(),
});

/** Runs one of the rehearsal's programs, and reads its last line. */
export async function rehearsed(root: string, program: string, words: readonly string[]): Promise<Outcome> {
  const lines = await linesOf(join(root, "simulator/fleet/rehearsal", program), [...words, "--json"]);
  const read = Verdict.safeParse(json(lines.at(-1) ?? ""));
  if (!read.success)
    throw new NoVerdict(`${program} came to no verdict; its last lines: ${lines.slice(-3).join(" | ")}`);
  const { verdict, checks, seconds, hours } = read.data;
  const [first, ...others] = checks.filter(({ ok }) => !ok);
  const also = others.length === 0 ? "" : `; beside it: ${others.map(({ name }) => name).join(", ")}`;
  // What ended a rehearsal before its end names itself.
  const by = first === undefined ? null : (/^ERR_[A-Z_]+/.exec(first.found)?.[0] ?? first.name);
  return {
    by,
    found: first === undefined ? verdict : first.found + also,
    seconds,
    ...(hours === undefined ? {} : { hours }),
  };
}

function linesOf(program: string, words: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...words], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const take = (chunk: Buffer): void => void (output += chunk.toString("utf8"));
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", reject);
    child.on("close", () => resolve(output.trim().split("\n")));
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
