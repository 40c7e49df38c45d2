import * as z from "zod";
import { AcknowledgeBody, Alarm, Alarms, SilenceBody } from "./operator/alarms.ts";
import { EnterBody, Left, type Role, Session, SignIn } from "./operator/asking.ts";
import { Audit, AuditLog, AuditQuery } from "./operator/audit.ts";
import { Components } from "./operator/components.ts";
import { DevicePage, LogPage, LogsQuery } from "./operator/device.ts";
import { Devices, DevicesQuery, Fleets } from "./operator/fleets.ts";
import { RehearsalReport, Rehearsals } from "./operator/rehearsals.ts";
import { Decided, DecisionBody, RolloutMetrics, RolloutPage, RolloutSummary } from "./operator/rollouts.ts";

/**
 * What the operators' API answers, on one machine and on AWS alike; also the `--json` of the commands that ask the same.
 * Instants are in ms since 1970, on the clock of the target that they are of; durations in ms.
 */
export * from "./operator/alarms.ts";
export * from "./operator/asking.ts";
export * from "./operator/audit.ts";
export * from "./operator/components.ts";
export * from "./operator/device.ts";
export * from "./operator/events.ts";
export * from "./operator/fleets.ts";
export * from "./operator/rehearsals.ts";
export * from "./operator/rollouts.ts";

interface CallShape {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  /** `anyone` need not be signed in. */
  readonly role: Role | "anyone";
  readonly answer: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
}

/** Every call with the role that it takes. The path's `:rollout` is a rollout's name or the beginning of it. */
export const operatorCalls = {
  signIn: { method: "GET", path: "/api/sign-in", role: "anyone", answer: SignIn },
  enter: { method: "POST", path: "/api/session", role: "anyone", answer: Session, body: EnterBody },
  leave: { method: "DELETE", path: "/api/session", role: "anyone", answer: Left },
  /** A session that has ended goes on, where the way in gives that: for a shift. */
  renew: { method: "POST", path: "/api/session/renewal", role: "anyone", answer: Session },
  me: { method: "GET", path: "/api/me", role: "viewer", answer: Session },
  fleets: { method: "GET", path: "/api/fleets", role: "viewer", answer: Fleets },
  devices: { method: "GET", path: "/api/devices", role: "viewer", answer: Devices, query: DevicesQuery },
  device: { method: "GET", path: "/api/devices/:thing", role: "viewer", answer: DevicePage },
  logs: {
    method: "GET",
    path: "/api/devices/:thing/logs",
    role: "viewer",
    answer: LogPage,
    query: LogsQuery,
  },
  components: { method: "GET", path: "/api/components", role: "viewer", answer: Components },
  rollouts: { method: "GET", path: "/api/rollouts", role: "viewer", answer: z.array(RolloutSummary) },
  rollout: { method: "GET", path: "/api/rollouts/:rollout", role: "viewer", answer: RolloutPage },
  metrics: { method: "GET", path: "/api/rollouts/:rollout/metrics", role: "viewer", answer: RolloutMetrics },
  audit: { method: "GET", path: "/api/rollouts/:rollout/audit", role: "viewer", answer: Audit },
  auditLog: { method: "GET", path: "/api/audit", role: "viewer", answer: AuditLog, query: AuditQuery },
  decide: {
    method: "POST",
    path: "/api/rollouts/:rollout/:decision",
    role: "operator",
    answer: Decided,
    body: DecisionBody,
  },
  alarms: { method: "GET", path: "/api/alarms", role: "viewer", answer: Alarms },
  acknowledge: {
    method: "POST",
    path: "/api/alarms/:alarm/acknowledge",
    role: "operator",
    answer: Alarm,
    body: AcknowledgeBody,
  },
  silence: {
    method: "POST",
    path: "/api/alarms/:alarm/silence",
    role: "operator",
    answer: Alarm,
    body: SilenceBody,
  },
  rehearsals: { method: "GET", path: "/api/rehearsals", role: "viewer", answer: Rehearsals },
  rehearsal: { method: "GET", path: "/api/rehearsals/:commit", role: "viewer", answer: RehearsalReport },
} as const satisfies Readonly<Record<string, CallShape>>;
export type OperatorCall = keyof typeof operatorCalls;

/** What is no JSON: streams, and files for people. All take the role viewer. */
export const operatorFiles = {
  /** Server-sent `streamEvents`. */
  events: "/api/events",
  /** Server-sent `logEvents`; `?component=`, and `?after=` a cursor where there is no `Last-Event-ID` yet. */
  logEvents: "/api/devices/:thing/logs/events",
  /** The technician's latest report, as JSON. */
  commissioning: "/api/devices/:thing/commissioning",
  /** `?as=json|csv|html`, the queries of `auditLog` otherwise. */
  auditExport: "/api/audit/export",
  /** `?as=html|xml|json`: a rehearsal as a page, as JUnit, as it is. */
  rehearsalReport: "/api/rehearsals/:commit/report",
} as const;
