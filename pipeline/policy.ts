import { CoalmineError, messageOf } from "@coalmine/runtime";
import { parse } from "yaml";
import * as z from "zod";
import { faultsOf, faultsText } from "./faults.ts";
import type { JudgePolicy, Metric } from "./judge/bundle.ts";
import { halts, judged, PolicyMetric } from "./policy-metric.ts";
import { TargetPolicy } from "./policy-target.ts";

const RehearsalPolicy = z.strictObject({
  gate: z
    .enum(["upgrade", "default", "full"])
    .default("default")
    .describe(
      "`upgrade` is the upgrade and the way back alone; `default` adds the scenarios of every push and weighs the release beside what runs now; `full` adds those of the longer gate, some ten minutes.",
    ),
  devices: z
    .int()
    .min(2)
    .max(1000)
    .default(8)
    .describe("Hosted devices of the upgrade; scenarios name their own."),
});

/** What a release has to prove, per target: the schema of `policy.yaml`, and of `docs/policy.md`. */
export const Policy = z
  .strictObject({
    version: z.literal(1).describe("Of this format."),
    rehearsal: RehearsalPolicy.prefault({}).describe("What a push meets before it is published."),
    metrics: z.array(PolicyMetric).min(1).describe("What is compared."),
    targets: z
      .record(z.string().regex(/^[a-z][a-z0-9-]{0,30}$/), TargetPolicy)
      .describe("How, for each target by its name."),
  })
  .superRefine((policy, context) => {
    const names = policy.metrics.map(({ name }) => name);
    if (new Set(names).size !== names.length) context.addIssue("two metrics have one name");
    for (const [name, target] of Object.entries(policy.targets)) {
      const refuse = (sentence: string) => context.addIssue(`target ${name}: ${sentence}`);
      const unknown =
        target.metrics === "all" ? [] : target.metrics.filter((metric) => !names.includes(metric));
      if (unknown.length > 0) refuse(`unknown metric ${unknown.join(", ")}; there are ${names.join(", ")}`);
      const own = metricsOf(policy, target);
      const sized = typeof target.canaryDevices === "number" ? [] : (target.canaryDevices.metrics ?? []);
      for (const metric of sized)
        if (!own.some(({ name: known, autonomy }) => known === metric && halts(autonomy)))
          refuse(
            `canaryDevices is sized by "${metric}", which is none of its halting metrics; those are ${own
              .filter(({ autonomy }) => halts(autonomy))
              .map((one) => one.name)
              .join(", ")}`,
          );
      if (target.judgedBy === "limits" && own.every(({ limit }) => limit === undefined))
        refuse("is judged by limits, but none of its metrics has one");
      if (target.judgedBy === "comparison" && own.every(({ margin }) => margin === undefined))
        refuse("none of its metrics has a margin, so nothing could ever be promoted");
    }
  });
export type Policy = z.infer<typeof Policy>;

export class PolicyError extends CoalmineError {
  readonly code = "ERR_POLICY";
}

/** Reads a policy; throws `PolicyError` with every fault it finds, a line each. */
export function parsePolicy(text: string): Policy {
  let json: unknown;
  try {
    json = parse(text);
  } catch (failure) {
    throw new PolicyError(`the policy is not YAML: ${messageOf(failure)}`, { cause: failure });
  }
  const current = asSaidNow(json);
  const result = Policy.safeParse(current);
  if (result.success) return result.data;
  throw new PolicyError(
    `the policy cannot work:\n${faultsText(faultsOf(result.error, current))}\ncorrect it; docs/policy.md says what each line may be`,
  );
}

const autonomyOfRole: Readonly<Record<string, string>> = { halting: "halt", advisory: "advise" };

/** Rollouts that were planned before a metric had degrees of autonomy recorded a policy that says `role`. */
function asSaidNow(json: unknown): unknown {
  const read = z
    .looseObject({ metrics: z.array(z.looseObject({ role: z.string().optional() })) })
    .safeParse(json);
  if (!read.success) return json;
  const metrics = read.data.metrics.map(({ role, ...metric }) =>
    role === undefined ? metric : { autonomy: autonomyOfRole[role] ?? role, ...metric },
  );
  return { ...read.data, metrics };
}

/** The target's policy, by name. */
export function targetPolicy(policy: Policy, target: string): TargetPolicy {
  const own = policy.targets[target];
  if (own === undefined)
    throw new PolicyError(
      `the policy has no target "${target}"; it has ${Object.keys(policy.targets).join(", ")}`,
    );
  return own;
}

/** What the judge is told for a target. */
export function judging(policy: Policy, target: string): { policy: JudgePolicy; metrics: Metric[] } {
  const own = targetPolicy(policy, target);
  const { judgedBy, alpha, alphaPromote, draws, coverageMin, guard, soak, horizon } = own;
  return {
    policy: { judgedBy, alpha, alphaPromote, draws, coverageMin, guard, soakMs: soak, horizonMs: horizon },
    metrics: metricsOf(policy, own).map(judged),
  };
}

/** The metrics of a target with where their pairs come from. */
export function metricsOf(policy: Pick<Policy, "metrics">, target: TargetPolicy): PolicyMetric[] {
  return policy.metrics.filter(({ name }) => target.metrics === "all" || target.metrics.includes(name));
}

/** Whether PROMOTE promotes without a person: every metric that stands in the way of it may do so. */
export function promotesItself(policy: Policy, target: string): boolean {
  const own = targetPolicy(policy, target);
  const inTheWay = metricsOf(policy, own).filter(({ margin, limit }) =>
    own.judgedBy === "limits" ? limit !== undefined : margin !== undefined,
  );
  return inTheWay.every(({ autonomy }) => autonomy === "promote");
}
