/** What an instrument measured, written before it is sent: the truth that the end of the path is compared with. */
export interface LedgerEntry {
  readonly instrument: string;
  readonly boot: number;
  readonly sequence: number;
  /** How many points this reading becomes. */
  readonly channels: number;
  readonly control: boolean;
  /** True time of the sample, on the simulation's clock. */
  readonly sampledMs: number;
}

export interface Ledger {
  measured(entry: LedgerEntry): void;
}

/** A ledger in memory, or handed on entry by entry. */
export class MemoryLedger implements Ledger {
  readonly entries: LedgerEntry[] = [];
  measured(entry: LedgerEntry): void {
    this.entries.push(entry);
  }
}
