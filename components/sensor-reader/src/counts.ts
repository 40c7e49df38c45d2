import type { healthKeys } from "@coalmine/contract";
import type { HealthReport } from "@coalmine/runtime";

/** The counters of this component; `HealthReport` has them. */
export type Counts = Pick<HealthReport<typeof healthKeys.sensorReader>, "add" | "observe">;
