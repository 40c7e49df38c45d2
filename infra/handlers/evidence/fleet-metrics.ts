import type { Heartbeat } from "@coalmine/contract";
import type { Instant } from "@coalmine/ports";
import { embeddedMetric } from "../embedded-metric.ts";

export const FLEET_NAMESPACE = "Coalmine/Fleet";

/** What a heartbeat's gauges are called in CloudWatch, and their units. */
const gauges = {
  backlogPoints: "Count",
  oldestAgeMs: "Milliseconds",
  unacknowledged: "Count",
  pendingLines: "Count",
} as const;

/**
 * A heartbeat as metrics of the fleet, one line a component: by component and version, since a metric for each device is
 * neither cheap nor readable. The device stands beside them.
 */
export function fleetMetrics({ thing, components }: Heartbeat, at: Instant): string[] {
  return components.map(({ component, componentVersion, ageMs, gauges: told }) =>
    embeddedMetric(
      {
        namespace: FLEET_NAMESPACE,
        dimensions: { component, version: componentVersion },
        by: [["component"], ["component", "version"]],
        metrics: {
          heard: { unit: "Count", value: 1 },
          ageMs: { unit: "Milliseconds", value: ageMs },
          ...Object.fromEntries(
            Object.entries(gauges).flatMap(([name, unit]) => {
              const value = told[name];
              return value === undefined ? [] : [[name, { unit, value }]];
            }),
          ),
        },
        properties: { thing },
      },
      at,
    ),
  );
}
