import type { Change } from "./change.ts";

/** A bad release, as somebody could write it by mistake. Nothing that judges it knows its name. */
export interface Mutant extends Change {
  /** What is wrong with it, for whoever reads the table: `what` is what its author meant. */
  readonly harm: string;
}
