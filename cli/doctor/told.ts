import { paint } from "../command/paint.ts";
import { exitCodes } from "../exit-codes.ts";
import type { DoctorFinding } from "./check.ts";

const signs = {
  ok: paint.bind(undefined, "green", "ok  "),
  failed: paint.bind(undefined, "red", "FAIL"),
  advised: paint.bind(undefined, "yellow", "note"),
  "not checked": paint.bind(undefined, "yellow", "?   "),
} as const;
const exits = {
  permission: exitCodes.permission,
  unreachable: exitCodes.unreachable,
  other: exitCodes.unexpected,
} as const;

export function exitOf(findings: readonly DoctorFinding[]): number {
  const worst = findings.find((finding) => finding.state === "failed");
  return worst === undefined ? exitCodes.done : exits[worst.kind];
}

export function lineOf(finding: DoctorFinding): string {
  const line = `${signs[finding.state]()}  ${finding.check}: ${finding.sentence}`;
  if (finding.state === "ok") return line;
  const why = finding.why === undefined ? [] : [`        why: ${finding.why}`];
  return [line, ...why, `        do: ${finding.remedy}`].join("\n");
}
