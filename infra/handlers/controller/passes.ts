import type { Clock } from "@coalmine/ports";
import type { Controller } from "../../../pipeline/controller/controller.ts";
import { embeddedMetric } from "../embedded-metric.ts";

export const CONTROLLER_FUNCTION = "coalmine-controller";
export const ROLLOUT_NAMESPACE = "Coalmine/Rollout";
/** A pass was made, with or without anything to do: an alarm goes off where there is none. */
export const PASS_METRIC = "passes";
/** The next minute brings the next invocation. */
const BUDGET_MS = 45_000;

/** One invocation: passes until nothing is left to be done now, or the minute is nearly over. */
export function controllerFunction(parts: {
  readonly controller: Pick<Controller, "tick">;
  readonly clock: Clock;
  readonly metricLine: (line: string) => void;
}): () => Promise<{ readonly passes: number; readonly phase: string | undefined }> {
  const { controller, clock, metricLine } = parts;
  return async () => {
    const deadline = clock.monotonicMs() + BUDGET_MS;
    for (let passes = 1; ; passes++) {
      const { moved, phase } = await controller.tick();
      if (moved && clock.monotonicMs() < deadline) continue;
      metricLine(
        embeddedMetric(
          {
            namespace: ROLLOUT_NAMESPACE,
            dimensions: {},
            metrics: { [PASS_METRIC]: { unit: "Count", value: passes } },
            properties: { phase: phase ?? "none" },
          },
          clock.now(),
        ),
      );
      return { passes, phase };
    }
  };
}
