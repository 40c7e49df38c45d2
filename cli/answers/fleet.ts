import { Fleet, Fleets } from "@coalmine/contract/operator-api";
import * as z from "zod";

export const fleetAnswers = {
  "fleet-list": Fleets.shape.fleets,
  "fleet-show": Fleet,
  "fleet-install": z.object({
    commit: z.string(),
    installed: z
      .array(
        z.object({
          target: z.string(),
          group: z.string(),
          deploymentId: z.string(),
          how: z.enum(["created", "was there"]),
        }),
      )
      .readonly(),
    /** Targets whose events of job executions were off until now. */
    switchedOn: z.array(z.string()).readonly(),
  }),
} as const;
