import { Devices, LogLine } from "@coalmine/contract/operator-api";
import * as z from "zod";

const text = z.string();
const optional = text.optional();
const list = z.array(text).readonly();

const Minted = z.object({
  /** Told this once. */
  code: text,
  id: text,
  site: text,
  serial: optional,
  hardwareId: optional,
  expiresAt: text,
});

export const deviceAnswers = {
  "device-list": Devices,
  "device-show": z.object({
    thing: text,
    registered: z
      .object({
        attributes: z.record(text, text).readonly(),
        groups: list,
        certificates: z.array(z.object({ id: text, status: text })).readonly(),
      })
      .optional(),
    history: z.array(z.object({ at: text, kind: text })).readonly(),
  }),
  "device-logs": LogLine.extend({ thing: text }),
  commission: z.object({
    /** `pending` has no identity yet; `refused` has `reason` and `message`. */
    outcome: z.enum(["commissioned", "pending", "refused"]),
    reason: optional,
    message: optional,
    sha256: optional,
    reportFiles: list.optional(),
    report: z.json().optional(),
  }),
  "device-claim": z.array(Minted).readonly(),
  "device-retired": z.object({
    thing: text,
    as: z.enum(["decommission", "rehome", "swap"]),
    who: text,
    reason: text,
    at: text,
    site: text,
    certificateIds: list,
    next: Minted.optional(),
  }),
} as const;
