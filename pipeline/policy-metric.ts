import { healthKeys } from "@coalmine/contract";
import * as z from "zod";
import { Metric } from "./judge/bundle.ts";

const Component = z
  .enum(["sensorReader", "inference", "streamUploader", "logManager"])
  .describe("Whose health it stands in.");

/** Where a metric's pair comes from, in the words of a heartbeat. */
export const MetricSource = z.union([
  /** `[heard, expected]`. */
  z.literal("heartbeats"),
  z
    .strictObject({
      component: Component,
      counter: z.string().describe("The numerator."),
      per: z
        .string()
        .describe(
          "The denominator: another counter, or `heartbeats`, which means expected ones, so that silence does not look like thrift.",
        ),
    })
    .describe("share"),
  z
    .strictObject({ component: Component, sum: z.string().describe("A sum, which carries its count.") })
    .describe("mean"),
]);
export type MetricSource = z.infer<typeof MetricSource>;

/** What a metric may do by itself. */
export const Autonomy = z
  .enum(["observe", "advise", "halt", "promote"])
  .describe(
    "What it may do by itself. `observe`: it is shown. `advise`: with a margin, harm or doubt leave the verdict to a person. `halt`: it halts as well. `promote`: where every metric with a margin or limit has this, in all targets, PROMOTE promotes without a person.",
  );
export type Autonomy = z.infer<typeof Autonomy>;

export const PolicyMetric = Metric.omit({ kind: true, role: true })
  .extend({
    name: Metric.shape.name.describe("What it is called, here and in a verdict."),
    of: MetricSource.describe(
      "`heartbeats`, or where in a component's health it stands: two counters make a share, a sum makes a mean.",
    ),
    autonomy: Autonomy,
  })
  .strict()
  .superRefine((metric, context) => {
    const { name, of, autonomy, margin, limit } = metric;
    if (!halts(autonomy) && of === "heartbeats")
      context.addIssue(
        `"${name}" may ${autonomy}, but silence always can halt: give heartbeats the autonomy halt or promote`,
      );
    if (!halts(autonomy) && limit !== undefined)
      context.addIssue(
        `"${name}" may ${autonomy}, and has a limit, which halts: give it the autonomy halt or promote, or remove the limit`,
      );
    if (autonomy === "observe" && margin !== undefined)
      context.addIssue(
        `"${name}" is only observed, and has a margin, which it would have to be cleared of: let it advise, or remove the margin`,
      );
    if (of !== "heartbeats") for (const fault of unknownKeys(of)) context.addIssue(fault);
  });
export type PolicyMetric = z.infer<typeof PolicyMetric>;

function unknownKeys(of: Exclude<MetricSource, "heartbeats">): string[] {
  const { counters, sums } = healthKeys[of.component];
  const fault = (kind: string, name: string, known: readonly string[]) =>
    known.includes(name)
      ? []
      : [`${of.component} publishes no ${kind} "${name}"; it has ${known.join(", ")}`];
  if ("sum" in of) return fault("sum", of.sum, sums);
  return [
    ...fault("counter", of.counter, counters),
    ...(of.per === "heartbeats" ? [] : fault("counter", of.per, counters)),
  ];
}

/** What the judge calls it: an advisory metric never halts. */
export function judged({ of, autonomy, ...metric }: PolicyMetric): Metric {
  const kind = of === "heartbeats" ? "liveness" : "sum" in of ? "mean" : "ratio";
  return { ...metric, kind, role: halts(autonomy) ? "halting" : "advisory" };
}

export function halts(autonomy: Autonomy): boolean {
  return autonomy === "halt" || autonomy === "promote";
}
