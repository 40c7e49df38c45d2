import { createHash } from "node:crypto";
import * as z from "zod";
import { type JournalEntries, PortResult } from "./journal.ts";
import type { CommissionOptions } from "./options.ts";

/** What the device was when it was left on site. */
export const Report = z.object({
  version: z.literal(1),
  thing: z.string(),
  site: z.string(),
  region: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  certificateId: z.string(),
  clockAheadMs: z.number(),
  /** `pending` until the device has been online. */
  identity: z.enum(["made", "pending"]).default("made"),
  claimErased: z.boolean(),
  passed: z.boolean(),
  ports: z.array(PortResult),
});
export type Report = z.infer<typeof Report>;

export function makeReport(options: CommissionOptions, entries: JournalEntries, nowMs: number): Report {
  const ports = entries.selfTest?.ports ?? [];
  return {
    version: 1,
    thing: entries.thing?.thingName ?? options.serial,
    site: options.site,
    region: options.region,
    startedAt: new Date(entries.startedMs).toISOString(),
    finishedAt: new Date(nowMs).toISOString(),
    certificateId: entries.certificate?.certificateId ?? "",
    clockAheadMs: entries.clock?.aheadMs ?? 0,
    identity: entries.proven === undefined ? "pending" : "made",
    claimErased: entries.claimErased !== undefined,
    passed: ports.length > 0 && ports.every(({ passed }) => passed),
    ports,
  };
}

export function reportJson(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** For paper. The hash is of the JSON file's bytes, so that the two can be held against each other. */
export function reportText(report: Report, json: string): string {
  const rows = report.ports.map(
    ({ port, passed, sentence }) => `  ${passed ? "ok  " : "FAIL"}  ${port}  ${sentence}`,
  );
  return [
    `Commissioning of ${report.thing}`,
    `  Site         ${report.site}`,
    `  Region       ${report.region}`,
    `  Finished     ${report.finishedAt}`,
    `  Certificate  ${report.identity === "made" ? report.certificateId : "PENDING: made when the device is online"}`,
    `  Clock        ${Math.abs(Math.round(report.clockAheadMs / 1000))} s ${report.clockAheadMs >= 0 ? "ahead of" : "behind"} the server`,
    `  Claim        ${report.claimErased ? "erased from this device" : "still on this device: it has not been used up"}`,
    "Instruments",
    ...rows,
    `Result         ${report.passed ? "PASSED" : "FAILED"}`,
    `SHA-256        ${sha256(json)}`,
    "",
  ].join("\n");
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
