import { messageOf } from "@coalmine/runtime";
import { parse } from "yaml";
import * as z from "zod";
import { faultsOf, faultsText } from "./faults.ts";
import { Bundle } from "./judge/bundle.ts";
import { BundleError, wellFormed } from "./judge/read-bundle.ts";
import { judging, parsePolicy, PolicyError } from "./policy.ts";

const Judging = Bundle.pick({ metrics: true, policy: true });

/**
 * The bundle as another policy would have it judged. The policy is a file with targets, of which the bundle's own is
 * taken, or only a bundle's `metrics` and `policy`; YAML or JSON. @throws PolicyError, BundleError
 */
export function withPolicy(bundle: Bundle, text: string, name: string): Bundle {
  const { metrics, policy } = judgingOf(text, bundle.target);
  const known = new Map(bundle.metrics.map((metric) => [metric.name, metric]));
  const held = Object.keys(bundle.looks[0]?.values ?? {});
  for (const { name: metric, kind } of metrics) {
    if (bundle.looks.length > 0 && !held.includes(metric))
      throw new BundleError(
        `${name} has nothing of "${metric}", which the policy compares; it has ${held.join(", ")}`,
      );
    const was = known.get(metric)?.kind ?? kind;
    if (was !== kind)
      throw new BundleError(
        `"${metric}" is a ${was} in ${name} and a ${kind} in the policy: its pairs mean something else`,
      );
  }
  return wellFormed({ ...bundle, metrics, policy }, name);
}

function judgingOf(text: string, target: string): z.infer<typeof Judging> {
  let json: unknown;
  try {
    json = parse(text);
  } catch (failure) {
    throw new PolicyError(`the policy is neither YAML nor JSON: ${messageOf(failure)}`, { cause: failure });
  }
  if (typeof json === "object" && json !== null && "targets" in json)
    return judging(parsePolicy(text), target);
  const parsed = Judging.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new PolicyError(
    `the policy has neither targets, as pipeline/policy.yaml has, nor a bundle's metrics and policy:\n${faultsText(faultsOf(parsed.error, json))}`,
  );
}
