import type { DeviceEvent, DeviceRow, Versions } from "@coalmine/contract/operator-api";
import type { Clock } from "@coalmine/ports";
import { EvidenceStore, MINUTE_MS } from "../../pipeline/evidence/evidence-store.ts";
import type { EvidenceRow } from "../../pipeline/evidence/row.ts";
import { takeRow, type Tally } from "../../pipeline/evidence/tally.ts";
import type { Region } from "../../pipeline/controller/region.ts";
import type { TargetTime } from "../../pipeline/controller/target-time.ts";
import { rowOf, setName, versionsOf } from "./device-row.ts";
import { membershipOf, type Membership } from "./members.ts";

/** What is read at first, and again where a fleet's clock has jumped: whoever was silent for longer is told by Greengrass. */
const WINDOW_MS = 10 * MINUTE_MS;
/** Rows may come this much later than what is in them. */
const LATE_MS = 5000;
/** Two who ask within this time get the same answer. */
const FRESH_MS = 300;
const MEMBERSHIP_MS = 15_000;
/** A thousand devices for a quarter of an hour; who was away for longer reads all anew. */
const KEPT_EVENTS_MAX = 20_000;

/** A fleet at one moment. */
export interface FleetSeen {
  readonly nowMs: number;
  readonly tally: Tally;
  readonly membership: Membership;
  /** In the order of their names. */
  readonly rows: ReadonlyMap<string, DeviceRow>;
  readonly sets: Readonly<Record<string, Versions>>;
}

export interface FleetWatchParts {
  readonly region: Region;
  readonly time: TargetTime;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** Makes places of this watch differ from those of any other. */
  readonly name: string;
}

/** Reads what is heard of one fleet's devices, row by row as it comes, for lists and for streams. */
export class FleetWatch {
  readonly #parts: FleetWatchParts;
  readonly #store: EvidenceStore;
  #tally: Tally = {};
  /** `thing#source` → when its last row was taken. */
  #taken = new Map<string, number>();
  #readToMs: number | undefined;
  #membership: { readonly at: number; readonly value: Membership } | undefined;
  #rows = new Map<string, DeviceRow>();
  #sets: Record<string, Versions> = {};
  /** Raised where events could not be told one by one. */
  #era = 0;
  #events: DeviceEvent[] = [];
  /** Number of the first event that is kept. */
  #first = 0;
  #looking: Promise<FleetSeen> | undefined;
  #looked: { readonly at: number; readonly seen: FleetSeen } | undefined;

  constructor(parts: FleetWatchParts) {
    this.#parts = parts;
    this.#store = new EvidenceStore(parts.region.dynamodb, parts.region.target.name);
  }

  get fleet(): string {
    return this.#parts.region.target.name;
  }

  get region(): Region {
    return this.#parts.region;
  }

  /** The fleet now. */
  async look(): Promise<FleetSeen> {
    const { clock } = this.#parts;
    if (this.#looked !== undefined && clock.monotonicMs() - this.#looked.at < FRESH_MS)
      return this.#looked.seen;
    this.#looking ??= this.#read().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  /** Where the events stand. */
  place(): string {
    return `${this.#parts.name}.${this.#era}.${this.#first + this.#events.length}`;
  }

  /** What came since a place, in order; undefined where that cannot be told one by one any more. */
  since(place: string): readonly DeviceEvent[] | undefined {
    const [name, era, number] = place.split(".");
    const at = Number(number) - this.#first;
    const isOurs = name === this.#parts.name && Number(era) === this.#era;
    return isOurs && at >= 0 && at <= this.#events.length ? this.#events.slice(at) : undefined;
  }

  async #read(): Promise<FleetSeen> {
    const { region, time } = this.#parts;
    const membership = await this.#members();
    const nowMs = await time.now(region.target);
    const readToMs = this.#readToMs;
    const isAnew = readToMs === undefined || nowMs < readToMs || nowMs - readToMs > WINDOW_MS;
    if (isAnew) {
      this.#taken.clear();
      this.#tally = {};
      this.#era++;
      this.#first = 0;
      this.#events = [];
    }
    const afterMs = isAnew ? nowMs - WINDOW_MS : readToMs - LATE_MS;
    const heard = await this.#take(afterMs, nowMs);
    this.#readToMs = nowMs;
    this.#tell(membership, nowMs, isAnew ? undefined : heard);
    const seen = { nowMs, tally: this.#tally, membership, rows: this.#rows, sets: this.#sets };
    this.#looked = { at: this.#parts.clock.monotonicMs(), seen };
    return seen;
  }

  async #members(): Promise<Membership> {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#membership === undefined || nowMs - this.#membership.at > MEMBERSHIP_MS)
      this.#membership = { at: nowMs, value: await membershipOf(this.#parts.region) };
    return this.#membership.value;
  }

  /** Takes the rows that are new, in order of time. */
  async #take(afterMs: number, nowMs: number): Promise<EvidenceRow[]> {
    const heard: EvidenceRow[] = [];
    for (let minute = Math.floor(afterMs / MINUTE_MS); minute <= Math.floor(nowMs / MINUTE_MS); minute++)
      for (const row of await this.#store.minute(minute, afterMs)) {
        const key = `${row.thing}#${row.source}`;
        if ((this.#taken.get(key) ?? -Infinity) >= row.atMs) continue;
        this.#taken.set(key, row.atMs);
        takeRow(this.#tally, row, 0);
        heard.push(row);
      }
    return heard;
  }

  /** Makes every row anew, and events of what was heard and of what time alone has changed. */
  #tell({ members }: Membership, nowMs: number, heard: readonly EvidenceRow[] | undefined): void {
    const before = this.#rows;
    this.#rows = new Map();
    for (const member of members.values()) {
      const seen = this.#tally[member.thing];
      this.#rows.set(member.thing, rowOf(this.fleet, member, seen, nowMs));
      const versions = versionsOf(seen);
      if (versions !== undefined) this.#sets[setName(versions)] ??= versions;
    }
    if (heard === undefined) return;
    const told = new Set<string>();
    for (const { thing, source, atMs } of heard) {
      told.add(thing);
      this.#add(source, atMs, thing, before);
    }
    for (const [thing, { state, cohort }] of this.#rows) {
      const was = before.get(thing);
      if (!told.has(thing) && (was?.state !== state || was.cohort !== cohort))
        this.#add("time", nowMs, thing, before);
    }
    const over = this.#events.length - KEPT_EVENTS_MAX;
    if (over > 0) {
      this.#events.splice(0, over);
      this.#first += over;
    }
  }

  #add(
    source: DeviceEvent["source"],
    atMs: number,
    thing: string,
    before: ReadonlyMap<string, DeviceRow>,
  ): void {
    const row = this.#rows.get(thing);
    // A thing of no fleet is heard, and belongs to no page.
    if (row === undefined) return;
    const { set } = row;
    const versions = set === undefined || before.get(thing)?.set === set ? undefined : this.#sets[set];
    this.#events.push({ source, atMs, row, ...(versions === undefined ? {} : { versions }) });
  }
}
