import * as z from "zod";
import { BundleDigest } from "../../pipeline/judge/digest.ts";

const ok = z.boolean();
const faults = z.array(z.string()).readonly();

export const judgeAnswers = {
  "judge-run": z.object({
    bundle: BundleDigest,
    verdict: z.object({
      verdict: z.enum(["PROMOTE", "HALT", "INCONCLUSIVE", "WAIT"]),
      because: z.string(),
    }),
  }),
  /** Of files it has `sha256` and `faults`, of a rollout `rollout` and `targets`. */
  "judge-verify": z.union([
    z.object({ ok, sha256: z.string(), faults }),
    z.object({
      ok,
      rollout: z.string(),
      targets: z
        .array(z.object({ target: z.string(), looks: z.int(), sha256: z.string().optional(), faults }))
        .readonly(),
    }),
  ]),
  "judge-replay": z.object({
    rollout: z.string(),
    targets: z.array(z.object({ target: z.string() })).readonly(),
  }),
  "judge-draw": z.object({ seed: z.string() }),
  /** Of a release over seeds; of a scenario the line that simulator/fleet/README.md describes. */
  simulate: z.union([
    z.object({
      release: z.string(),
      devices: z.int(),
      seeds: z.int(),
      halted: z.int(),
      promotable: z.int(),
      rollouts: z.array(z.object({ seed: z.string(), ended: z.string() })).readonly(),
    }),
    z.object({ scenario: z.string(), seed: z.string(), digest: z.string() }),
  ]),
} as const;
