/** @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html#rules-engine-limits */
export const limits = {
  rulesMax: 1000,
  actionsPerRuleMax: 10,
  /** Ours: AWS bounds the whole rule, at 256 KB. */
  sqlCharactersMax: 16_384,
  /** Ours: how deep an expression may lie in others, and how many parts it may have. */
  expressionDepthMax: 64,
  expressionPartsMax: 1000,
  /** Ours: what an expression may make of a message's 128 KiB. */
  textCharactersMax: 256 * 1024,
  /** Ours: messages whose rules are under way. Beyond it a message passes without its rules, and a warning says so. */
  underWayMax: 1000,
  /** Ours: how often a message may be republished by rules before they let it be. AWS goes on, and bills. */
  republishedMax: 16,
} as const;
