/**
 * Options of Node, in MiB. What an event leaves behind is garbage by the next: the more of it is collected at once, the less is
 * copied. With 16 a fleet spent 6 % of its time on that, with 64 it spends 3 %.
 */
export const YOUNG_SPACE = ["--min-semi-space-size=64", "--max-semi-space-size=64"] as const;
