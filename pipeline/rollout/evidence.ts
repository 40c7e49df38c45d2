import * as z from "zod";
import { StepFinding } from "../judge/wave-step.ts";

/** `key` tells a decision that is sent again from another one. */
const person = {
  by: z.string().min(1),
  reason: z.string().min(1).max(1000),
  key: z.string().max(64).optional(),
};

/**
 * What a rollout can be told. Anything may come twice, late, out of order, or never: the rollout takes what fits and
 * has a deadline for what does not come.
 */
export const Evidence = z.discriminatedUnion("kind", [
  /** The seed that the plan committed to. */
  z.object({ kind: z.literal("drawn"), target: z.string(), seed: z.string() }),
  /** The action of this key has been carried out. */
  z.object({ kind: z.literal("done"), key: z.string() }),
  z.object({ kind: z.literal("deploymentCreated"), key: z.string(), deploymentId: z.string() }),
  /** The action of this key was refused for good; what may pass with time is the controller's to try again. */
  z.object({ kind: z.literal("failed"), key: z.string(), because: z.string() }),
  /** A device says which deployment it completed last, and so which set of components it runs. */
  z.object({
    kind: z.literal("reported"),
    target: z.string(),
    thing: z.string(),
    set: z.string(),
    deploymentId: z.string(),
  }),
  z.object({
    kind: z.literal("look"),
    target: z.string(),
    /** Since the assignment, as in the bundle. */
    elapsedMs: z.number().nonnegative(),
    /** Of the kept bundle, from which the verdict can be computed again. */
    digest: z.string(),
    verdict: z.enum(["PROMOTE", "HALT", "WAIT", "INCONCLUSIVE"]),
    because: z.string(),
  }),
  /** What was seen of all devices that have the release, since the wave began that began at `fromMs`. */
  z.object({
    kind: z.literal("watched"),
    target: z.string(),
    fromMs: z.number(),
    atMs: z.number(),
    digest: z.string(),
    verdict: z.enum(["HALT", "WELL"]),
    because: z.string(),
    /** What the wave adds to the evidence of all waves; with one look a wave. */
    step: StepFinding.optional(),
  }),
  z.object({ kind: z.literal("promoted"), ...person }),
  /** Opens the emergency lane, or completes it where another person has opened it. */
  z.object({ kind: z.literal("emergencyPromoted"), ...person }),
  z.object({ kind: z.literal("held"), ...person }),
  z.object({ kind: z.literal("resumed"), ...person }),
  z.object({ kind: z.literal("rollbackRequested"), ...person }),
  /** A newer release: it waits, or takes this one's place where nobody has promoted it yet. */
  z.object({ kind: z.literal("pushed"), release: z.string(), mode: z.enum(["queue", "supersede"]) }),
]);
export type Evidence = z.infer<typeof Evidence>;
