import type { deploymentErrorCodes } from "@coalmine/contract/device-status";

/** What it is, and what to do next: two halves of a sentence, without a full stop. */
export type Entry = readonly [what: string, next: string];

/** An entry for every code of these types. */
export type EntriesOf<Types extends keyof typeof deploymentErrorCodes> = Readonly<
  Record<(typeof deploymentErrorCodes)[Types][number], Entry>
>;
