import { AuditQuery, type AuditLine, ExportFormat } from "@coalmine/contract/operator-api";
import * as z from "zod";
import { type Api, parseInput } from "./api.ts";
import { auditLog, wholeAudits } from "./audit-log.ts";

const ExportQuery = z.looseObject({ as: ExportFormat.default("json") });
/** A file holds what a list shows in pages. */
const LINES_MAX = 1000;

export interface ExportedFile {
  readonly name: string;
  readonly type: string;
  readonly text: string;
}

const columns = ["rollout", "sequence", "at", "kind", "who", "reason", "sentence"] as const;

/** The audit log as a file: `json` can be verified, `csv` is for tables, `html` is for people and needs nothing else. */
export async function exportAudit(api: Api, input: Readonly<Record<string, string>>): Promise<ExportedFile> {
  const { as } = parseInput(ExportQuery, input);
  const { as: _as, ...rest } = input;
  const query = { ...parseInput(AuditQuery, rest), limit: LINES_MAX };
  if (as === "json")
    return {
      name: "coalmine-audit.json",
      type: "application/json",
      text: JSON.stringify(await wholeAudits(api, query), undefined, 1),
    };
  const log = await auditLog(api, query);
  const rows = log.lines.map(cellsOf);
  if (as === "csv")
    return {
      name: "coalmine-audit.csv",
      type: "text/csv; charset=utf-8",
      text: `${[[...columns], ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n")}\r\n`,
    };
  const chains = log.verified.map(({ rollout, ok, entries, head, because }) =>
    ok
      ? `${rollout}: ${entries} entries, whole, head ${head ?? ""}`
      : `${rollout}: NOT WHOLE, ${because ?? ""}`,
  );
  return {
    name: "coalmine-audit.html",
    type: "text/html; charset=utf-8",
    text: [
      '<!doctype html><html lang="en"><meta charset="utf-8"><title>Coalmine audit log</title>',
      "<style>body{font:1rem sans-serif}table{border-collapse:collapse}td,th{border:1px solid;padding:.25rem;text-align:left}</style>",
      `<h1>Audit log</h1><ul>${chains.map((line) => `<li>${htmlText(line)}</li>`).join("")}</ul>`,
      `<table><thead><tr>${columns.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead><tbody>`,
      ...rows.map((row) => `<tr>${row.map((cell) => `<td>${htmlText(cell)}</td>`).join("")}</tr>`),
      "</tbody></table></html>\n",
    ].join("\n"),
  };
}

function cellsOf({ rollout, sequence, atMs, kind, who, reason, sentence }: AuditLine): string[] {
  return [rollout, String(sequence), new Date(atMs).toISOString(), kind, who ?? "", reason ?? "", sentence];
}

/** A table would carry out a cell that begins like a formula. */
function csvCell(text: string): string {
  return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

function htmlText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
