import * as z from "zod";

const Fleet = z.object({
  fleet: z.string(),
  region: z.string(),
  nowMs: z.number(),
  devices: z.int(),
  canary: z.int(),
  /** Of them by what their nucleus says: HEALTHY, UNHEALTHY. */
  byStatus: z.record(z.string(), z.int()).readonly(),
  /** Age of the oldest of those words. A nucleus says it at least once a day. */
  oldestMs: z.number().optional(),
  groups: z
    .array(
      z.object({
        group: z.string(),
        devices: z.int(),
        /** Component → version of the revision in force; undefined where it never had one. */
        inForce: z
          .object({
            deploymentId: z.string(),
            revision: z.string(),
            components: z.record(z.string(), z.string()).readonly(),
          })
          .optional(),
      }),
    )
    .readonly(),
});

export const fleetAnswers = {
  "fleet-list": z.array(Fleet).readonly(),
  "fleet-show": Fleet.extend({
    installed: z
      .array(
        z.object({
          component: z.string(),
          version: z.string(),
          /** Devices that say they have it. */
          canary: z.int(),
          main: z.int(),
          /** Of them, those whose group's revision asks for another version. */
          drifted: z.int(),
        }),
      )
      .readonly(),
  }),
} as const;
