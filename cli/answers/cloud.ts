import * as z from "zod";
import { Where } from "../cloud/cloud-state.ts";

export const cloudAnswers = {
  /** With everything by which an SDK program reaches it, where it runs. Holds its operator's keys. */
  cloud: z.object({
    running: z.boolean(),
    state: z.string().optional(),
    pid: z.int().optional(),
    ...Where.partial().shape,
  }),
  "cloud-reset": z.object({ removed: z.string() }),
  "cloud-export": z.object({ exported: z.string(), from: z.string() }),
} as const;
