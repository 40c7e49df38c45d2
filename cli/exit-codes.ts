import { CoalmineError } from "@coalmine/runtime";

const conflicts = new Set([
  "ERR_ALREADY_RUNNING",
  "ERR_API_CONFLICT",
  "ERR_API_NOT_FOUND",
  "ERR_CLOUD_RUNNING",
  "ERR_NOT_RELEASED",
  "ERR_QUEUE_IN_USE",
  "ERR_QUEUE_NOT_FOUND",
  "ERR_SUPPLY_DIGEST",
  "ERR_SUPPLY_SIGNATURE",
  "ERR_SUPPLY_STATEMENT",
  "ERR_SUPPLY_UNSIGNED",
]);
const usages = new Set([
  "ERR_API_INPUT",
  "ERR_BUNDLE",
  "ERR_CLOUD_COMMAND",
  "ERR_DRAW_IMPOSSIBLE",
  "ERR_INPUT_FILE",
  "ERR_POLICY",
  "ERR_QUEUE_KEY",
  "ERR_SIMULATION",
  "ERR_SUPPLY_KEY",
]);
const unreachable = new Set([
  "ERR_CLOUD_NOT_RUNNING",
  "ERR_NOT_RUNNING",
  "ERR_CONTROL_UNREACHABLE",
  "ERR_TARGETS",
]);

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
    if (!(failure instanceof CoalmineError)) return 1;
    if (usages.has(failure.code)) return 2;
    if (conflicts.has(failure.code)) return 7;
    return unreachable.has(failure.code) ? 8 : 1;
  },
} as const;
