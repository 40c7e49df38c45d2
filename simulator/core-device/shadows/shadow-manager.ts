import type { Clock, JsonObject, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import {
  deltaOf,
  metadataOf,
  metadataOfBoth,
  noShadow,
  stateOf,
  updated,
  whole,
  type ShadowDocument,
} from "../../cloud/shadows/document.ts";
import type { ConfigurationTree } from "../configuration/tree.ts";
import type { LocalTopics } from "../ipc/local-topics.ts";
import { SHADOW_MANAGER } from "../ipc/plugins.ts";
import type { BuiltIn } from "../lifecycle/built-in.ts";
import { isObject } from "../json.ts";
import { RequestRate } from "./request-rate.ts";
import { checkId, clientTokenOf, readUpdate, ShadowRefusal, type ShadowId } from "./shadow-requests.ts";
import { keyOf, type KeptShadow, type ShadowStore } from "./shadow-store.ts";

const CONFIGURATION = ["services", SHADOW_MANAGER, "configuration"];
const STATE_BYTES_DEFAULT = 8192;
const STATE_BYTES_MAX = 30_720;

type Verb = "get" | "update" | "delete";

interface ShadowOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly tree: ConfigurationTree;
  readonly topics: LocalTopics;
  readonly store: ShadowStore;
}

/** Hears of every change that was made on this device. */
export type ShadowListener = (id: ShadowId) => void;

/** Shadows on the device itself: for components by IPC, and for whoever speaks on their local topics. */
export class ShadowManager implements BuiltIn {
  readonly #options: ShadowOptions;
  readonly #rate: RequestRate;
  readonly #listeners = new Set<ShadowListener>();
  /** The last piece of work of each shadow that has any: changes of one shadow are made one after the other. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #requests: { close(): void } | undefined;

  constructor(options: ShadowOptions) {
    this.#options = options;
    this.#rate = new RequestRate(options.clock, options.tree);
  }

  async start(): Promise<void> {
    const { store, topics } = this.#options;
    await store.load();
    this.#requests = topics.subscribe(
      SHADOW_MANAGER,
      "$aws/things/+/shadow/#",
      "RECEIVE_MESSAGES_FROM_OTHERS",
      (event) => this.#hear(event),
    );
  }

  async stop(): Promise<void> {
    this.#requests?.close();
  }

  onChange(listener: ShadowListener): void {
    this.#listeners.add(listener);
  }

  /** What `get/accepted` carries. `allowed` is called when the names are known to be names. */
  async get(id: ShadowId, allowed: () => void, token: JsonObject = {}): Promise<JsonObject> {
    return this.#answer(id, "get", token, async () => {
      allowed();
      const { document } = this.#existing(id);
      const delta = deltaOf(document);
      return {
        state: { ...stateOf(document), ...(delta === undefined ? {} : { delta: delta.state }) },
        metadata: metadataOfBoth(document),
        version: document.version,
        timestamp: this.#seconds(),
        ...token,
      };
    });
  }

  /** What `update/accepted` carries: only what the request set. */
  async update(id: ShadowId, payload: Uint8Array, allowed: () => void): Promise<JsonObject> {
    const token = clientTokenOf(payload);
    return this.#answer(id, "update", token, async () => {
      const { document: former, agreed } = this.#options.store.get(id);
      if (payload.length === 0) throw new ShadowRefusal(400, "Missing update payload");
      allowed();
      const { state } = readUpdate(payload, former);
      const now = this.#seconds();
      const current = updated(former, state, now);
      this.#checkSize(current);
      await this.#options.store.put({ ...id, document: current, agreed });
      const delta = deltaOf(current);
      if (delta !== undefined)
        this.#tell(id, "update/delta", { version: current.version, timestamp: now, ...delta, ...token });
      this.#tell(id, "update/documents", {
        ...(former.isDeleted ? {} : { previous: whole(former) }),
        current: whole(current),
        timestamp: now,
        ...token,
      });
      const asked: JsonObject = Object.fromEntries(
        Object.entries(state).flatMap(([name, part]) => (part === undefined ? [] : [[name, part]])),
      );
      return {
        state: asked,
        metadata: metadataOf(asked, now),
        version: current.version,
        timestamp: now,
        ...token,
      };
    });
  }

  async delete(id: ShadowId, allowed: () => void, token: JsonObject = {}): Promise<JsonObject> {
    return this.#answer(id, "delete", token, async () => {
      allowed();
      const { document, agreed } = this.#existing(id);
      await this.#options.store.put({
        ...id,
        document: { ...noShadow, version: document.version },
        agreed,
      });
      return { version: document.version, timestamp: this.#seconds(), ...token };
    });
  }

  namesOf(thingName: string): readonly string[] {
    return this.#options.store.namesOf(thingName);
  }

  checkRate(thingName: string): void {
    this.#rate.check(thingName);
  }

  /** Work on one shadow while nobody else changes it. */
  inTurn<Result>(id: ShadowId, work: () => Promise<Result>): Promise<Result> {
    const key = keyOf(id);
    const before = this.#turns.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#turns.set(key, turn);
    const over = (): void => {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    };
    turn.then(over, over);
    return turn;
  }

  async #answer(
    id: ShadowId,
    verb: Verb,
    token: JsonObject,
    work: () => Promise<JsonObject>,
  ): Promise<JsonObject> {
    try {
      this.#rate.check(id.thingName);
      checkId(id);
      const accepted = await this.inTurn(id, work);
      this.#tell(id, `${verb}/accepted`, accepted);
      if (verb !== "get") for (const listener of this.#listeners) listener(id);
      return accepted;
    } catch (failure) {
      const { code, message } = failure instanceof ShadowRefusal ? failure : unexpected(failure);
      this.#tell(id, `${verb}/rejected`, { code, message, timestamp: this.#seconds(), ...token });
      throw failure;
    }
  }

  /** A request on the topic of the operation; the answer is what the topics tell, and nobody is asked for a policy. */
  #hear(event: JsonObject): void {
    const { topic, payload } = readEvent(event);
    const [, thingName = "", shadowName = "", verb] =
      /^\$aws\/things\/([^/]+)\/shadow(?:\/name\/([^/]+))?\/(get|update|delete)$/.exec(topic) ?? [];
    const id = { thingName, shadowName };
    const free = (): void => undefined;
    const token = clientTokenOf(payload);
    const asked =
      verb === "get"
        ? this.get(id, free, token)
        : verb === "update"
          ? this.update(id, payload, free)
          : verb === "delete"
            ? this.delete(id, free, token)
            : undefined;
    asked?.catch((failure: unknown) =>
      this.#options.log.debug("a shadow request was refused", { topic, why: messageOf(failure) }),
    );
  }

  #existing(id: ShadowId): KeptShadow {
    const kept = this.#options.store.get(id);
    if (!kept.document.isDeleted) return kept;
    const name = id.shadowName === "" ? "Unnamed Shadow" : id.shadowName;
    throw new ShadowRefusal(404, `No shadow exists with name: ${name}`);
  }

  #checkSize({ desired, reported }: ShadowDocument): void {
    const configured = this.#options.tree.getNumber([...CONFIGURATION, "shadowDocumentSizeLimitBytes"]);
    const limit = Math.min(configured ?? STATE_BYTES_DEFAULT, STATE_BYTES_MAX);
    const bytes = [desired, reported].reduce(
      (sum, section) => sum + (section === undefined ? 0 : Buffer.byteLength(JSON.stringify(section))),
      0,
    );
    if (bytes > limit) throw new ShadowRefusal(413, "The payload exceeds the maximum size allowed");
  }

  #tell(id: ShadowId, ending: string, body: JsonObject): void {
    const topic = `${topicOf(id)}/${ending}`;
    const message = Buffer.from(JSON.stringify(body)).toString("base64");
    this.#options.topics.publish(SHADOW_MANAGER, topic, { binaryMessage: { message, context: { topic } } });
  }

  #seconds(): number {
    return Math.floor(this.#options.clock.now() / 1000);
  }
}

export function topicOf({ thingName, shadowName }: ShadowId): string {
  return `$aws/things/${thingName}/shadow${shadowName === "" ? "" : `/name/${shadowName}`}`;
}

function unexpected(failure: unknown): { code: number; message: string } {
  // What the caller may not do is refused by its own error.
  const isDenied = failure instanceof Error && "code" in failure && failure.code === "UnauthorizedError";
  return isDenied
    ? { code: 401, message: "Unauthorized" }
    : { code: 500, message: "Internal service failure" };
}

function readEvent(event: JsonObject): { topic: string; payload: Uint8Array } {
  const { jsonMessage, binaryMessage } = event;
  const message = isObject(binaryMessage) ? binaryMessage : isObject(jsonMessage) ? jsonMessage : {};
  const { context, message: content } = message;
  const topic = isObject(context) && typeof context["topic"] === "string" ? context["topic"] : "";
  const payload =
    isObject(binaryMessage) && typeof content === "string"
      ? Buffer.from(content, "base64")
      : Buffer.from(JSON.stringify(content ?? {}));
  return { topic, payload };
}
