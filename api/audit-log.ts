import { type Audit, type AuditLine, type AuditLog, AuditQuery } from "@coalmine/contract/operator-api";
import { readEntry, verifyAudit, type StoredEntry } from "../pipeline/controller/audit.ts";
import type { Evidence } from "../pipeline/rollout/evidence.ts";
import { parseInput, type Api } from "./api.ts";
import { auditEntries } from "./describe.ts";

/** The latest rollouts whose logs are read where none is named. */
const ROLLOUTS_MAX = 50;

/** What was written of all rollouts, newest first, for people, with whether each chain holds. */
export async function auditLog(api: Api, input: unknown): Promise<AuditLog> {
  const query = parseInput(AuditQuery, input);
  const lines: AuditLine[] = [];
  const verified: AuditLog["verified"][number][] = [];
  for (const rollout of await asked(api, query)) {
    const entries = await api.log.entries(rollout);
    const finding = verifyAudit(entries);
    verified.push(
      finding.ok
        ? { rollout, ok: true, entries: entries.length, head: finding.head }
        : { rollout, ok: false, entries: entries.length, because: finding.because },
    );
    const readable = finding.ok ? entries : entries.slice(0, finding.sequence);
    lines.push(...readable.map(lineOf));
  }
  const found = lines
    .filter((line) => fits(line, query))
    .sort((a, b) => b.atMs - a.atMs || b.sequence - a.sequence);
  return { lines: found.slice(0, query.limit), verified, more: found.length > query.limit };
}

/** The same logs whole, as they are stored: they can be verified without us. */
export async function wholeAudits(api: Api, input: unknown): Promise<Audit[]> {
  const audits: Audit[] = [];
  for (const rollout of await asked(api, parseInput(AuditQuery, input)))
    audits.push(await auditEntries(api, { rollout }));
  return audits;
}

async function asked({ log }: Api, query: AuditQuery): Promise<string[]> {
  const listed = (await log.list()).map(({ rollout }) => rollout);
  const named = query.rollout;
  return named === undefined
    ? listed.slice(0, ROLLOUTS_MAX)
    : listed.filter((rollout) => rollout.startsWith(named));
}

function fits(line: AuditLine, { who, text, people }: AuditQuery): boolean {
  const whole = `${line.rollout} ${line.kind} ${line.who ?? ""} ${line.reason ?? ""} ${line.sentence}`;
  return (
    (who === undefined || line.who === who) &&
    (people === "false" || line.who !== undefined) &&
    whole.toLowerCase().includes(text?.toLowerCase() ?? "")
  );
}

function lineOf(stored: StoredEntry): AuditLine {
  const { rollout, sequence, atMs, record } = readEntry(stored);
  const line = { rollout, sequence, atMs };
  switch (record.kind) {
    case "planned": {
      const sizes = record.plan.targets.map(({ name, devices }) => `${devices.length} devices of ${name}`);
      return { ...line, kind: record.kind, sentence: `planned for ${sizes.join(" and ")}` };
    }
    case "told": {
      const person = record.evidence.find((one) => "reason" in one);
      const kind = record.evidence[0]?.kind ?? "time";
      return {
        ...line,
        kind: person?.kind ?? kind,
        ...(person === undefined ? {} : { who: person.by, reason: person.reason }),
        sentence: record.evidence.length === 0 ? "time passed" : record.evidence.map(evidenceText).join("; "),
      };
    }
    case "override": {
      const { stage, who, why } = record;
      return { ...line, kind: record.kind, who, reason: why, sentence: `let past the stage ${stage}` };
    }
    case "nothingToDo":
    case "refused":
      return { ...line, kind: record.kind, sentence: record.because };
    case "installedFirst":
      break;
  }
  const groups = record.deployments.map(({ group }) => group).join(", ");
  return {
    ...line,
    kind: record.kind,
    who: record.who,
    sentence: `the first release was deployed to ${groups}`,
  };
}

function evidenceText(evidence: Evidence): string {
  switch (evidence.kind) {
    case "drawn":
      return `the canary of ${evidence.target} was drawn`;
    case "done":
      return `${evidence.key} is done`;
    case "deploymentCreated":
      return `${evidence.key} is deployment ${evidence.deploymentId}`;
    case "failed":
      return `${evidence.key} failed: ${evidence.because}`;
    case "reported":
      return `${evidence.thing} of ${evidence.target} reports ${evidence.set}`;
    case "look":
    case "watched":
      return `${evidence.target}, ${evidence.verdict}: ${evidence.because}`;
    case "promoted":
      return "promoted";
    case "emergencyPromoted":
      return "wanted it let through unjudged";
    case "held":
      return "held";
    case "resumed":
      return "resumed";
    case "rollbackRequested":
      return "rolled back";
    case "pushed":
      break;
  }
  return `${evidence.release} was pushed, to ${evidence.mode}`;
}
