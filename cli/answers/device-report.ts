import * as z from "zod";

export const reportAnswers = {
  "device-verify": z.union([
    z.object({
      file: z.string(),
      genuine: z.literal(true),
      sha256: z.string(),
      /** Id of the certificate whose key signed it; nobody did where it is missing. */
      signer: z.string().optional(),
    }),
    z.object({
      file: z.string(),
      genuine: z.literal(false),
      /** What was changed. */
      sentence: z.string(),
    }),
  ]),
} as const;
