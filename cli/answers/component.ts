import * as z from "zod";

export const componentAnswers = {
  "component-list": z
    .array(
      z.object({
        fleet: z.string(),
        region: z.string(),
        component: z.string(),
        version: z.string(),
        /** `DEPLOYABLE`, or why it cannot be deployed. */
        state: z.string(),
        message: z.string().optional(),
      }),
    )
    .readonly(),
  "component-check": z.object({
    recipes: z
      .array(
        z.object({
          file: z.string(),
          faults: z
            .array(
              z.object({
                code: z.string(),
                line: z.int().optional(),
                column: z.int().optional(),
                rule: z.string(),
                remedy: z.string(),
              }),
            )
            .readonly(),
        }),
      )
      .readonly(),
  }),
  "component-replay": z.object({
    modelSha256: z.string(),
    recorded: z.int(),
    equal: z.int(),
    different: z.int(),
    missing: z.int(),
    otherModels: z.int(),
    examples: z.array(z.string()).readonly(),
  }),
} as const;
