import { CoalmineError } from "@coalmine/runtime";
import { CommanderError } from "commander";

const conflicts = new Set([
  "ERR_ALREADY_RUNNING",
  "ERR_API_CONFLICT",
  "ERR_API_NOT_FOUND",
  "ERR_CLOUD_RUNNING",
  "ERR_FLEET_INSTALL",
  "ERR_NOT_RELEASED",
  "ERR_NO_SUCH_FLEET",
  "ERR_QUEUE_IN_USE",
  "ERR_QUEUE_NOT_FOUND",
  "ERR_SUPPLY_DIGEST",
  "ERR_SUPPLY_SIGNATURE",
  "ERR_SUPPLY_STATEMENT",
  "ERR_SUPPLY_UNSIGNED",
]);
const usages = new Set([
  "ERR_API_INPUT",
  "ERR_AWS_ACCOUNT",
  "ERR_AWS_REGION",
  "ERR_BUNDLE",
  "ERR_CLOUD_COMMAND",
  "ERR_DRAW_IMPOSSIBLE",
  "ERR_INPUT_FILE",
  "ERR_POLICY",
  "ERR_QUEUE_KEY",
  "ERR_SIMULATION",
  "ERR_SUPPLY_KEY",
  "ERR_UP_AWS",
]);
const unreachable = new Set([
  "ERR_CLOUD_NOT_RUNNING",
  "ERR_NOT_RUNNING",
  "ERR_CONTROL_UNREACHABLE",
  "ERR_LINK_LOST",
  "ERR_TARGETS",
]);

const permissions = new Set(["ERR_AWS_CREDENTIALS", "ERR_AWS_DENIED"]);

/** What the command's exit tells a script. */
export const exitCodes = {
  done: 0,
  unexpected: 1,
  usage: 2,
  halted: 3,
  notEnoughEvidence: 4,
  /** What was waited for has not come yet: of a verdict, WAIT. */
  timedOut: 5,
  permission: 6,
  conflict: 7,
  unreachable: 8,
  interrupted: 130,
  of(failure: unknown): number {
    // Commander gives 1 for every wrong word, and 0 where it was asked for help or the version.
    if (failure instanceof CommanderError) return failure.exitCode === 0 ? 0 : 2;
    if (!(failure instanceof CoalmineError)) return isRefused(failure) ? 6 : 1;
    if (usages.has(failure.code)) return 2;
    if (conflicts.has(failure.code)) return 7;
    if (permissions.has(failure.code)) return 6;
    if (failure.code === "ERR_WATCH_TIMED_OUT") return 5;
    return unreachable.has(failure.code) ? 8 : 1;
  },
} as const;

const refusals = new Set([
  "AccessDenied",
  "AccessDeniedException",
  "CredentialsProviderError",
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidClientTokenId",
  "UnrecognizedClientException",
]);

/** By AWS: what the caller's credentials do not allow, or no credentials at all. */
function isRefused(failure: unknown): boolean {
  return failure instanceof Error && refusals.has(failure.name);
}
