import type { Clock, Log, Random, Timer } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { CloudSession } from "../cloud/session.ts";
import { uuid } from "../../cloud/uuid.ts";
import type { ConfigurationTree } from "../configuration/tree.ts";
import { SHADOW_MANAGER } from "../ipc/plugins.ts";
import { CloudShadow, CloudShadowRefusal, type CloudState } from "./cloud-shadow.ts";
import { stateOf } from "../../cloud/shadows/document.ts";
import type { ShadowManager } from "./shadow-manager.ts";
import { ShadowRefusal, type ShadowId } from "./shadow-requests.ts";
import { keyOf, type KeptShadow, type ShadowStore } from "./shadow-store.ts";
import { synchronizedOf, type Direction } from "./synchronized.ts";
import { patchOfState, threeWay, type SharedState } from "./three-way.ts";

const CONFIGURATION = ["services", SHADOW_MANAGER, "configuration"];
/** After a failure the shadow is looked at again, while there is a connection. */
const RETRY_MS = 10_000;

interface SyncOptions {
  readonly thingName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly tree: ConfigurationTree;
  readonly session: CloudSession;
  readonly store: ShadowStore;
  readonly shadows: ShadowManager;
}

interface Pair {
  readonly id: ShadowId;
  readonly cloud: CloudShadow;
  isDirty: boolean;
  isBusy: boolean;
}

/**
 * Keeps shadows of the device and of IoT Core the same. Whatever makes a difference possible, a change on either side
 * or a new connection, leads to the same: both whole documents are compared with what they last agreed on.
 */
export class ShadowSync {
  readonly #options: SyncOptions;
  #pairs = new Map<string, Pair>();
  #direction: Direction = "betweenDeviceAndCloud";
  #periodMs: number | undefined;
  #period: Timer | undefined;
  #watch: { close(): void } | undefined;
  #isStopped = true;
  /** The shadow that this is changing on the device: that change is no news. */
  readonly #applying = new Set<string>();

  constructor(options: SyncOptions) {
    this.#options = options;
    options.shadows.onChange((id) => {
      if (!this.#applying.has(keyOf(id))) this.#changed(keyOf(id));
    });
    options.session.onConnected(() => this.#all());
  }

  async start(): Promise<void> {
    this.#isStopped = false;
    const above = CONFIGURATION.map((name) => name.toLowerCase());
    this.#watch = this.#options.tree.onChange(({ path }) => {
      const [, , , branch = ""] = path;
      if (above.some((name, index) => path[index]?.toLowerCase() !== name)) return;
      if (["", "synchronize", "strategy"].includes(branch.toLowerCase())) this.#configure();
    });
    this.#configure();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#watch?.close();
    this.#period?.cancel();
    await Promise.all([...this.#pairs.values()].map(({ cloud }) => cloud.close()));
    this.#pairs = new Map();
  }

  #configure(): void {
    const { tree, thingName, session, clock, random } = this.#options;
    const { shadows, direction, everySeconds } = synchronizedOf(
      thingName,
      tree.get([...CONFIGURATION, "synchronize"]),
      tree.get([...CONFIGURATION, "strategy"]),
    );
    this.#direction = direction;
    this.#periodMs = everySeconds === undefined ? undefined : everySeconds * 1000;
    const before = this.#pairs;
    this.#pairs = new Map();
    for (const id of shadows) {
      const key = keyOf(id);
      const cloud = (): CloudShadow =>
        new CloudShadow(id, session, clock, uuid(random), () => this.#changed(key));
      this.#pairs.set(key, before.get(key) ?? { id, cloud: cloud(), isDirty: false, isBusy: false });
      before.delete(key);
    }
    for (const { cloud } of before.values()) void cloud.close();
    this.#period?.cancel();
    this.#plan();
    this.#all();
  }

  #plan(): void {
    if (this.#periodMs === undefined) return;
    this.#period = this.#options.clock.timer(this.#periodMs, () => {
      for (const pair of this.#pairs.values()) if (pair.isDirty) void this.#reconcile(pair);
      this.#plan();
    });
  }

  #all(): void {
    for (const key of this.#pairs.keys()) this.#changed(key, true);
  }

  #changed(key: string, atOnce = this.#periodMs === undefined): void {
    const pair = this.#pairs.get(key);
    if (pair === undefined) return;
    pair.isDirty = true;
    if (atOnce) void this.#reconcile(pair);
  }

  async #reconcile(pair: Pair): Promise<void> {
    if (pair.isBusy) return;
    pair.isBusy = true;
    const { session, clock, log } = this.#options;
    const isOpen = (): boolean => !this.#isStopped && session.isConnected;
    while (pair.isDirty && isOpen()) {
      pair.isDirty = false;
      try {
        await this.#agree(pair);
      } catch (failure) {
        pair.isDirty = true;
        if (isConflict(failure)) continue;
        log.warn("a shadow could not be synchronized yet", { ...pair.id, why: messageOf(failure) });
        if (isOpen()) await clock.sleep(RETRY_MS);
      }
    }
    pair.isBusy = false;
  }

  async #agree({ id, cloud }: Pair): Promise<void> {
    const theirs = await cloud.get();
    const kept = this.#options.store.get(id);
    const ours = kept.document.isDeleted ? undefined : kept.document;
    const wanted = this.#wanted(kept, theirs);
    let localVersion = kept.document.version;
    let cloudVersion = theirs?.version ?? 0;
    if (wanted === undefined) {
      if (ours !== undefined) await this.#apply(id, undefined, localVersion);
      if (theirs !== undefined) await cloud.delete();
    } else {
      const change = patchOfState(theirs, wanted);
      if (Object.keys(change).length > 0) cloudVersion = await cloud.update(change, theirs?.version);
      localVersion = await this.#apply(id, wanted, localVersion);
    }
    const agreed = wanted === undefined ? undefined : { ...wanted, cloudVersion, localVersion };
    if (JSON.stringify(agreed) === JSON.stringify(kept.agreed)) return;
    const { shadows, store } = this.#options;
    await shadows.inTurn(id, () => store.put({ ...store.get(id), agreed }));
  }

  /** What both sides are to hold; undefined for no shadow at all. */
  #wanted({ document, agreed }: KeptShadow, theirs: CloudState | undefined): SharedState | undefined {
    const ours = document.isDeleted ? undefined : document;
    if (this.#direction === "deviceToCloud") return ours && stateOf(ours);
    if (this.#direction === "cloudToDevice") return theirs && stateOf(theirs);
    if (ours === undefined && theirs === undefined) return undefined;
    if (theirs === undefined)
      // Gone from the cloud: it goes here too, unless it was never there or has changed here since.
      return agreed === undefined || agreed.localVersion !== document.version
        ? ours && stateOf(ours)
        : undefined;
    if (ours === undefined)
      return agreed === undefined || agreed.cloudVersion !== theirs.version ? stateOf(theirs) : undefined;
    // What is desired belongs to the cloud, what is reported to the device.
    const desired = threeWay(agreed?.desired, theirs.desired, ours.desired);
    const reported = threeWay(agreed?.reported, ours.reported, theirs.reported);
    return stateOf({ desired, reported });
  }

  /** Makes the device's shadow so, if it is still at `version`; gives its new version. */
  async #apply(id: ShadowId, wanted: SharedState | undefined, version: number): Promise<number> {
    const { shadows, store } = this.#options;
    const { document } = store.get(id);
    const free = (): void => undefined;
    this.#applying.add(keyOf(id));
    try {
      if (wanted === undefined) {
        await shadows.delete(id, free);
        return version;
      }
      const present = document.isDeleted ? undefined : document;
      const state = patchOfState(present, wanted);
      if (Object.keys(state).length === 0) return document.version;
      const expected = document.version === 0 ? {} : { version };
      const answer = await shadows.update(id, Buffer.from(JSON.stringify({ state, ...expected })), free);
      return Number(answer["version"]);
    } finally {
      this.#applying.delete(keyOf(id));
    }
  }
}

/** Somebody changed one of the two between the look and the change: look again. */
function isConflict(failure: unknown): boolean {
  const isRefusal = failure instanceof CloudShadowRefusal || failure instanceof ShadowRefusal;
  return isRefusal && failure.code === 409;
}
