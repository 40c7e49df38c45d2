import { Components } from "@coalmine/contract/operator-api";
import * as z from "zod";

export const componentAnswers = {
  "component-list": Components.shape.components,
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
  /** What a controller's `COALMINE_SIGNERS` takes. */
  "component-key": z.object({
    version: z.literal(1),
    signers: z.array(z.object({ who: z.string(), publicKey: z.string() })).readonly(),
  }),
  "component-sign": z.object({
    /** SHA-256 of the public key, in hexadecimal digits. */
    keyId: z.string(),
    components: z
      .array(
        z.object({
          component: z.string(),
          version: z.string(),
          how: z.enum(["signed", "signed by a further key", "was signed"]),
        }),
      )
      .readonly(),
  }),
  "component-verify": z.object({
    components: z
      .array(
        z.object({
          component: z.string(),
          version: z.string(),
          /** Why it is not what was signed; without one it is. */
          fault: z.object({ code: z.string(), message: z.string() }).optional(),
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
