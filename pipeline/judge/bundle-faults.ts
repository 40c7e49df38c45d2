import type { Bundle, Look, Metric, Pair } from "./bundle.ts";

/**
 * What no schema can say of a bundle: that its parts fit together. One sentence a fault. The judge itself takes such
 * bundles too, and waits; who hands one in wants to know which figure is wrong.
 */
export function faultsOfBundle(bundle: Bundle): string[] {
  return [
    ...faultsOfDevices(bundle),
    ...faultsOfCanary(bundle),
    ...faultsOfMetrics(bundle),
    ...faultsOfPolicy(bundle),
    ...Object.entries(bundle.before).flatMap(([name, pairs]) =>
      faultsOfPairs(bundle, metricOf(bundle, name), `before[${JSON.stringify(name)}]`, pairs, []),
    ),
    ...bundle.looks.flatMap((look, index) => faultsOfLook(bundle, look, index)),
  ];
}

function faultsOfDevices({ devices }: Bundle): string[] {
  const stratumOf = new Map<string, string>();
  const twice = firstTwice(devices.map(({ thing }) => thing));
  return [
    ...(twice === undefined ? [] : [`devices names "${twice}" twice: list each device once`]),
    ...devices.flatMap(({ cluster, stratum }, index) => {
      const known = stratumOf.get(cluster) ?? stratum;
      stratumOf.set(cluster, known);
      return known === stratum
        ? []
        : [
            `devices[${index}].stratum is "${stratum}", but cluster "${cluster}" lies in "${known}" already: a cluster is drawn as a whole, so give its devices one stratum`,
          ];
    }),
  ];
}

function faultsOfCanary({ devices, draw }: Bundle): string[] {
  const canary = new Set(draw.canary);
  const known = new Set(devices.map(({ thing }) => thing));
  const strangers = draw.canary.filter((thing) => !known.has(thing));
  const twice = firstTwice(draw.canary);
  const faults = [
    ...strangers.map(
      (thing) =>
        `draw.canary names "${thing}", which is not among the devices: add it there, or remove it here`,
    ),
    ...(twice === undefined ? [] : [`draw.canary names "${twice}" twice: name each device once`]),
  ];
  if (canary.size === 0) faults.push("draw.canary is empty: name the devices that got the release");
  if (faults.length === 0 && canary.size === devices.length)
    faults.push(`draw.canary holds all ${devices.length} devices: none is left to compare with`);
  const isCanaryOf = new Map<string, boolean>();
  for (const { thing, cluster } of devices) {
    const before = isCanaryOf.get(cluster) ?? canary.has(thing);
    isCanaryOf.set(cluster, before);
    if (before !== canary.has(thing))
      faults.push(
        `draw.canary splits cluster "${cluster}" at "${thing}": devices that influence each other belong into one arm, or are no cluster`,
      );
  }
  if (draw.how === "drawn" && draw.asked !== undefined && draw.asked < draw.canary.length)
    faults.push(
      `draw.asked is ${draw.asked}, fewer than the ${draw.canary.length} of draw.canary: a draw never takes more than asked for`,
    );
  if (draw.how === "handPicked" && draw.placebo !== undefined && draw.placebo.halts > draw.placebo.windows)
    faults.push(
      `draw.placebo.halts is ${draw.placebo.halts} of ${draw.placebo.windows} windows: it can be no more than all`,
    );
  return faults;
}

function faultsOfMetrics({ metrics }: Bundle): string[] {
  const twice = firstTwice(metrics.map(({ name }) => name));
  return [
    ...(metrics.length === 0 ? ["metrics is empty: name at least one"] : []),
    ...(twice === undefined ? [] : [`metrics names "${twice}" twice: one name, one metric`]),
    ...metrics.flatMap(({ kind, role, limit }, index) =>
      limit !== undefined && role === "advisory" && kind !== "liveness"
        ? [
            `metrics[${index}].limit halts, and an advisory metric never does: make it halting, or remove the limit`,
          ]
        : [],
    ),
  ];
}

function faultsOfPolicy({ metrics, policy }: Bundle): string[] {
  const { judgedBy, alpha, draws, soakMs, horizonMs } = policy;
  const faults: string[] = [];
  if (soakMs > horizonMs)
    faults.push(
      `policy.soakMs is ${soakMs}, past policy.horizonMs of ${horizonMs}: the soak has to end by the horizon`,
    );
  if (judgedBy === "comparison" && Math.floor(alpha * (draws + 1) + 1e-9) < 1)
    faults.push(
      `policy.draws is ${draws}, too few to ever spend alpha = ${alpha}: at least ${Math.ceil(1 / alpha) - 1} are needed`,
    );
  if (judgedBy === "limits" && metrics.every(({ limit }) => limit === undefined))
    faults.push(
      'policy.judgedBy is "limits", but no metric has a limit: give one to a metric, or judge by comparison',
    );
  return faults;
}

function faultsOfLook(bundle: Bundle, look: Look, index: number): string[] {
  const last = bundle.looks[index - 1];
  const things = new Set(bundle.devices.map(({ thing }) => thing));
  const canary = new Set(bundle.draw.canary);
  return [
    ...(last !== undefined && look.elapsedMs <= last.elapsedMs
      ? [
          `looks[${index}].elapsedMs is ${look.elapsedMs}, not after the ${last.elapsedMs} of the look before: put looks in order of time`,
        ]
      : []),
    ...bundle.metrics.flatMap(({ name }) =>
      look.values[name] === undefined
        ? [
            `looks[${index}].values has nothing of "${name}": list a pair for each device, null where nothing is known`,
          ]
        : [],
    ),
    ...Object.entries(look.values).flatMap(([name, pairs]) =>
      faultsOfPairs(
        bundle,
        metricOf(bundle, name),
        `looks[${index}].values[${JSON.stringify(name)}]`,
        pairs,
        last?.values[name] ?? [],
      ),
    ),
    ...look.updated
      .filter((thing) => !canary.has(thing))
      .map(
        (thing) =>
          `looks[${index}].updated names "${thing}", which is no canary: only canaries get the release`,
      ),
    ...look.failing
      .filter(({ thing }) => !things.has(thing))
      .map(({ thing }) => `looks[${index}].failing names "${thing}", which is not among the devices`),
  ];
}

function faultsOfPairs(
  { devices }: Bundle,
  metric: Metric | undefined,
  place: string,
  pairs: readonly Pair[],
  last: readonly Pair[],
): string[] {
  if (pairs.length !== devices.length)
    return [
      `${place} has ${pairs.length} pairs for ${devices.length} devices: list one for each, in their order, null where nothing is known`,
    ];
  return pairs.flatMap((pair, device) => {
    if (pair === null) return [];
    const [numerator, denominator] = pair;
    const told = `${place}[${device}] is [${numerator}, ${denominator}]`;
    const past = last[device];
    if (numerator < 0 || denominator < 0) return [`${told}: counts and sums are never negative`];
    if (metric?.kind === "liveness" && numerator > denominator)
      return [`${told}: no more heartbeats can be heard than are expected`];
    if (past !== null && past !== undefined && (numerator < past[0] || denominator < past[1]))
      return [
        `${told}, and was [${past[0]}, ${past[1]}] at the look before: pairs are totals since the assignment, and never fall`,
      ];
    return [];
  });
}

function metricOf({ metrics }: Bundle, name: string): Metric | undefined {
  return metrics.find((metric) => metric.name === name);
}

function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}
