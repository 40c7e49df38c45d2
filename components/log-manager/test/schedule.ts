import type { Node } from "./log-disk.ts";
import { type Given, imbalance, World } from "./world.ts";

const ACTIVE = "app.log";
const QUIET_MS = 12 * 60_000;
/** Positions are synced at most once a second: where the power goes, the batches of that second may go again. */
const SYNC_WINDOW_MS = 1200;
const PARTIAL = "[partial] ";
const CONTINUED = "[continued] ";
/** From the answer's arrival to its being written down: a process that dies in between does not know of it. */
const WRITE_WINDOW_MS = 100;
const DAY_MS = 24 * 3_600_000;

/**
 * One random schedule of writers, rotation, faults and ends of the process, with a model beside it that knows of each
 * line whether anybody could still have read it.
 */
export class Schedule {
  readonly #world: World;
  readonly #random: Given["random"];
  readonly #says: boolean;
  /** Every line that was completed, by its text. */
  readonly #lines: string[] = [];
  /** Lines that the present run has read: while it lives they are in its memory. */
  #inMemory = new Set<string>();
  /** Lines that nobody can read any more, and when that was. */
  readonly #unreadable = new Set<string>();
  /** Lines in requests that were on their way when the process died: they may have arrived. */
  readonly #onTheWay = new Set<string>();
  /** Files that were cut, the lines of their copies, and when log-manager saw the cut. */
  readonly #copied: { readonly node: Node; readonly lines: readonly string[]; seenMs: number | undefined }[] =
    [];
  /**
   * Lines of copies whose original lost its last name before anybody looked: nothing tells such a copy from a new file
   * that begins as an old one did, so it is taken for one, and its lines go again.
   */
  readonly #orphaned = new Set<string>();
  #partial: { readonly node: Node; readonly rest: string; readonly line: string } | undefined;
  #rotations = 0;
  readonly #ends: { readonly atMs: number; readonly windowMs: number }[] = [];
  /** How far the clock was wrong, one after the other; and how many of them when a line that states its time was written. */
  readonly #skewsMs = [0];
  readonly #writtenAt = new Map<string, number>();
  readonly totals = { lines: 0, unreadable: 0, repeated: 0, kills: 0, corrected: 0 };

  constructor(given: Given, says: boolean) {
    this.#random = given.random.fork("schedule");
    this.#says = says;
    this.#world = new World(given, {
      eventIds: true,
      healthIntervalSeconds: 30,
      periodicUploadIntervalSec: 30,
    });
    const { disk } = this.#world;
    disk.tellsOfChanges = this.#random.next() < 0.8;
    disk.onRead = (text, node) => {
      for (const line of text.split("\n").slice(0, -1)) this.#inMemory.add(line);
      for (const copied of this.#copied)
        if (copied.node === node) copied.seenMs ??= this.#world.given.clock.now();
    };
  }

  /** What is wrong at the end; nothing where all is well. */
  async play(): Promise<string[]> {
    const world = this.#world;
    await world.start();
    const steps = 10 + this.#random.below(30);
    for (let step = 0; step < steps; step++) {
      await this.#step();
      this.#note();
      await world.run([0, 50, 300, 1500, 6000, 30_000][this.#random.below(6)] ?? 0);
    }
    this.#completePartial();
    world.cloud.weather.isOnline = true;
    world.cloud.weather.throttled = 0;
    world.cloud.weather.lostReply = 0;
    if (!world.isUp) await world.start();
    await world.run(QUIET_MS);
    const faults = this.#faults();
    await world.stop();
    return faults;
  }

  async #step(): Promise<void> {
    const { cloud } = this.#world;
    const actions: readonly (readonly [number, string, () => Promise<void> | void])[] = [
      [14, "write", () => this.#write(1 + this.#random.below(5))],
      [4, "partial", () => this.#writePartial()],
      [4, "rotate", () => this.#rotate()],
      [2, "rotate twice", () => (this.#rotate(), this.#write(2), this.#rotate(), this.#write(1))],
      [3, "copytruncate", () => this.#copytruncate()],
      [2, "rewrite", () => this.#rewrite()],
      [4, "compress", () => this.#compress()],
      [2, "delete rotated", () => this.#deleteRotated()],
      [2, "recreate", () => this.#recreate()],
      [1, "swap link", () => this.#swap()],
      [1, "clock", () => this.#jump()],
      [3, "kill", () => this.#kill(false)],
      [1, "power", () => this.#kill(true)],
      [1, "restart", () => this.#restart()],
      [2, "throttle", () => void (cloud.weather.throttled = this.#random.next() * 0.8)],
      [2, "lose replies", () => void (cloud.weather.lostReply = this.#random.next() * 0.6)],
      [1, "offline", () => void (cloud.weather.isOnline = false)],
      [3, "fair", () => this.#fair()],
    ];
    let at = this.#random.below(actions.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, name, act] of actions) {
      at -= weight;
      if (at >= 0) continue;
      if (this.#says)
        console.error(
          this.#world.given.clock.monotonicMs(),
          name,
          [...this.#world.disk.names.keys()].join(" "),
        );
      await act();
      return;
    }
  }

  #active(): Node {
    const { disk } = this.#world;
    return disk.names.get(ACTIVE) ?? disk.create(ACTIVE);
  }

  /** A line that no other is like, longer than a file's head, with a time of the device's clock. */
  #line(): string {
    const { clock } = this.#world.given;
    const n = this.#lines.length;
    const strange = this.#random.next();
    const offMs = strange < 0.03 ? -20 * DAY_MS : strange < 0.05 ? DAY_MS : -this.#random.below(60_000);
    const timestamp = Math.floor(clock.now() + this.#world.skewMs + offMs);
    const line = JSON.stringify({
      timestamp,
      level: "INFO",
      n,
      message: `µ°𝄞 ${"x".repeat(130 + this.#random.below(200))}`,
    });
    this.#lines.push(line);
    if (strange >= 0.05) this.#writtenAt.set(line, this.#skewsMs.length);
    return line;
  }

  #write(lines: number): void {
    this.#completePartial();
    const node = this.#active();
    for (let n = 0; n < lines; n++) this.#world.disk.append(node, `${this.#line()}\n`);
  }

  #writePartial(): void {
    this.#completePartial();
    const node = this.#active();
    const line = this.#line();
    this.#lines.pop();
    const cut = 1 + this.#random.below(line.length - 1);
    // Not through a pair of surrogates: the writer writes bytes, the model text.
    const at = /[\uD800-\uDBFF]$/.test(line.slice(0, cut)) ? cut - 1 : cut;
    this.#world.disk.append(node, line.slice(0, at));
    this.#partial = { node, rest: line.slice(at), line };
    this.#lines.push(line);
  }

  /** The writer goes on where it was, whatever its file is called by now. */
  #completePartial(): void {
    const partial = this.#partial;
    if (partial === undefined) return;
    this.#partial = undefined;
    this.#world.disk.append(partial.node, `${partial.rest}\n`);
  }

  #rotate(): void {
    const { disk } = this.#world;
    if (!disk.names.has(ACTIVE)) return;
    if (this.#random.next() < 0.7) this.#completePartial();
    disk.rename(ACTIVE, `${ACTIVE}.${++this.#rotations}`);
  }

  #copytruncate(): void {
    const { disk } = this.#world;
    const node = disk.names.get(ACTIVE);
    if (node === undefined || node.bytes.length === 0) return;
    this.#completePartial();
    disk.copy(node, `${ACTIVE}.${++this.#rotations}`);
    const lines = node.text.split("\n");
    // What is written between the copy and the cut is in neither.
    if (this.#random.next() < 0.5) this.#write(1);
    disk.truncate(node);
    this.#copied.push({ node, lines, seenMs: undefined });
    this.#note();
    if (this.#random.next() < 0.5) this.#write(1 + this.#random.below(4));
  }

  #rewrite(): void {
    const { disk } = this.#world;
    const node = disk.names.get(ACTIVE);
    if (node === undefined) return;
    this.#completePartial();
    disk.truncate(node);
    this.#note();
    this.#write(1 + this.#random.below(6));
  }

  #rotated(compressed: boolean): string[] {
    return [...this.#world.disk.names.keys()].filter(
      (name) => name !== ACTIVE && /[.](gz|zst)$/.test(name) === compressed,
    );
  }

  /** By turns with gzip and zstd. */
  async #compress(): Promise<void> {
    const { disk } = this.#world;
    const name = this.#rotated(false)[0];
    const node = name === undefined ? undefined : disk.names.get(name);
    if (name === undefined || node === undefined || node === this.#partial?.node) return;
    disk.compress(node, `${name}${/[02468]$/.test(name) ? ".zst" : ".gz"}`);
    if (this.#random.next() < 0.5) await this.#world.run(this.#random.below(3000));
    disk.remove(name);
  }

  #deleteRotated(): void {
    const names = [...this.#rotated(false), ...this.#rotated(true)];
    const name = names[this.#random.below(Math.max(1, names.length))];
    if (name !== undefined) this.#world.disk.remove(name);
  }

  #recreate(): void {
    this.#completePartial();
    this.#world.disk.remove(ACTIVE);
    this.#note();
    this.#write(1 + this.#random.below(3));
  }

  /** The name leads to another file from one moment to the next, as a link that is swapped does. */
  #swap(): void {
    this.#completePartial();
    this.#world.disk.create(ACTIVE);
    this.#note();
    this.#write(1);
  }

  #jump(): void {
    this.#world.skewMs = [0, 3_600_000, -3_600_000, -30 * DAY_MS, 5 * DAY_MS][this.#random.below(5)] ?? 0;
    this.#skewsMs.push(this.#world.skewMs);
  }

  async #kill(powerCut: boolean): Promise<void> {
    const world = this.#world;
    if (!world.isUp) return world.start();
    this.totals.kills++;
    this.#ends.push({
      atMs: world.given.clock.now(),
      windowMs: powerCut ? SYNC_WINDOW_MS : WRITE_WINDOW_MS,
    });
    for (const line of this.#inMemory) this.#onTheWay.add(line);
    world.kill(powerCut);
    this.#inMemory = new Set();
    this.#note();
    if (this.#random.next() < 0.7) await world.start();
  }

  async #restart(): Promise<void> {
    const world = this.#world;
    if (!world.isUp) return;
    for (const line of this.#inMemory) this.#onTheWay.add(line);
    await world.stop();
    this.#inMemory = new Set();
    this.#note();
    await world.start();
  }

  #fair(): void {
    const { weather } = this.#world.cloud;
    weather.throttled = 0;
    weather.lostReply = 0;
    weather.isOnline = true;
  }

  /** Lines that are in no file and in no memory: nobody can read them any more. */
  #note(): void {
    const { disk } = this.#world;
    const named = new Set(disk.names.values());
    for (const { node, lines, seenMs } of this.#copied)
      if (!named.has(node) && (seenMs === undefined || this.#isForgotten(seenMs)))
        for (const line of lines) this.#orphaned.add(line);
    const there = new Set(disk.readable().flatMap(({ text }) => text.split("\n")));
    const arrived = this.#arrived();
    for (const line of this.#lines)
      if (!there.has(line) && !this.#inMemory.has(line) && !arrived.has(line) && line !== this.#partial?.line)
        this.#unreadable.add(line);
  }

  /** Whether the process or the power ended before what was learnt at that time was written down. */
  #isForgotten(learntMs: number): boolean {
    return this.#ends.some(({ atMs, windowMs }) => atMs >= learntMs && atMs - learntMs <= windowMs);
  }

  #arrived(): Set<string> {
    const messages = [...this.#world.messages(), ...this.#world.deadLetters().map(({ message }) => message)];
    const arrived = new Set(messages.map(withoutEid));
    // A line that was given up as unfinished when its file was rotated, and finished after all.
    const begun = messages.filter((message) => message.startsWith(PARTIAL));
    for (const rest of messages.filter((message) => message.startsWith(CONTINUED)))
      for (const start of begun) arrived.add(start.slice(PARTIAL.length) + rest.slice(CONTINUED.length));
    return arrived;
  }

  #faults(): string[] {
    const { cloud, health, session } = this.#world;
    const faults = [...cloud.violations];
    const arrived = this.#arrived();
    const missing = this.#lines.filter((line) => !arrived.has(line));
    for (const line of missing)
      if (!this.#unreadable.has(line)) faults.push(`lost, though it could be read: ${line.slice(0, 60)}`);
    for (const line of this.#unreadable)
      if (arrived.has(line) && !this.#onTheWay.has(line))
        faults.push(`arrived, though nobody could read it: ${line.slice(0, 60)}`);
    faults.push(...this.#repeats(), ...this.#wrongTimes());
    const last = health.at(-1);
    if (last === undefined) return [...faults, "no health was told"];
    for (const one of health) {
      const difference = imbalance(one);
      if (difference !== 0)
        faults.push(`the books are out by ${difference} lines: ${JSON.stringify(one.counters)}`);
    }
    const is = (name: string, count: number | undefined, truth: number): void => {
      if (count !== truth) faults.push(`${name} is ${count}, in truth ${truth}`);
    };
    is("pendingLines", last.gauges["pendingLines"], 0);
    is("uploadedEvents", last.counters["uploadedEvents"], session.accepted);
    is("uploadFailures", last.counters["uploadFailures"], session.failures);
    this.totals.lines += this.#lines.length;
    this.totals.unreadable += this.#unreadable.size;
    return faults;
  }

  /** An event has the time that its line states, but for steps of the clock since that was written. */
  #wrongTimes(): string[] {
    const faults: string[] = [];
    for (const { message, timestampMs } of this.#world.cloud.stored) {
      const line = withoutEid(message);
      const written = this.#writtenAt.get(line);
      if (written === undefined) continue;
      const byMs = timestampMs - Number(JSON.parse(line).timestamp);
      const possible = this.#skewsMs.slice(written).reduce(
        (sums, skewMs, at) => {
          const stepMs = (this.#skewsMs[written + at - 1] ?? 0) - skewMs;
          return [...sums, ...sums.map((sum) => sum - stepMs)];
        },
        [0],
      );
      if (byMs !== 0) this.totals.corrected++;
      if (!possible.includes(byMs)) faults.push(`${byMs} ms off what it states: ${line.slice(0, 60)}`);
    }
    return faults;
  }

  /** A line goes twice only if the answer to the first request was lost, and then under the same name. */
  #repeats(): string[] {
    const faults: string[] = [];
    const seen = new Map<string, { readonly eid: string; answeredMs: number | undefined }>();
    // In the order of sending: what a process sent before it died may be stored after what the next one sent.
    const sent = this.#world.cloud.stored.toSorted((a, b) => a.put.sentMs - b.put.sentMs);
    for (const { message, put } of sent) {
      if (message.startsWith("[")) continue;
      const line = withoutEid(message);
      const eid = /"eid":"([^"]*)"\}$/.exec(message)?.[1] ?? "";
      const before = seen.get(line);
      if (before !== undefined && !this.#orphaned.has(line)) {
        this.totals.repeated++;
        const { answeredMs } = before;
        if (answeredMs !== undefined && !this.#isForgotten(answeredMs))
          faults.push(`sent again though the first was answered: ${line.slice(0, 60)}`);
        if (before.eid !== eid) faults.push(`repeated as ${eid}, first ${before.eid}: ${line.slice(0, 60)}`);
      }
      seen.set(line, { eid, answeredMs: put.answeredMs });
    }
    const eids = new Map<string, string>();
    for (const [line, { eid }] of seen) {
      if (eids.has(eid)) faults.push(`two lines are called ${eid}`);
      eids.set(eid, line);
    }
    return faults;
  }
}

function withoutEid(message: string): string {
  return message.replace(/,"eid":"[^"]*"\}$/, "}");
}
