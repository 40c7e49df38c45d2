import { createHash } from "node:crypto";
import { Sha256 } from "@coalmine/contract";
import * as z from "zod";
import { Bundle } from "./bundle.ts";

/** What a bundle was when it was judged: of the whole, and of each part, so that a change is not only found but named. */
export interface BundleDigest {
  readonly sha256: string;
  readonly parts: Readonly<Record<string, string>>;
}
export const BundleDigest: z.ZodType<BundleDigest> = z.strictObject({
  sha256: Sha256,
  parts: z.record(z.string(), Sha256),
});

/** SHA-256 of a bundle. Keys of a parsed document have the schema's order: one read again has the digest it had. */
export function sha256Of(bundle: Bundle): string {
  return hashOf(Bundle.parse(bundle));
}

/** Each figure lies in two parts, its look and its metric, so that one that was changed is found where they cross. */
export function digestOf(bundle: Bundle): BundleDigest {
  const { looks, metrics, before, devices, draw, policy, ...names } = Bundle.parse(bundle);
  const parts: Record<string, string> = {
    "the names": hashOf(names),
    "the devices": hashOf(devices),
    "the draw": hashOf(draw),
    "the metrics": hashOf(metrics),
    "the policy": hashOf(policy),
    "the time before": hashOf(before),
  };
  for (const [index, look] of looks.entries()) parts[`look ${index}`] = hashOf(look);
  for (const { name } of metrics)
    parts[`"${name}"`] = hashOf([before[name], ...looks.map(({ values }) => values[name])]);
  return { sha256: sha256Of(bundle), parts };
}

/** Names of the parts in which a bundle is not what it was. */
export function changedParts(was: BundleDigest, is: BundleDigest): string[] {
  const names = new Set([...Object.keys(was.parts), ...Object.keys(is.parts)]);
  return [...names].filter((name) => was.parts[name] !== is.parts[name]);
}

function hashOf(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(value) ?? "")
    .digest("hex");
}
