import type { JsonValue } from "@coalmine/ports";
import * as z from "zod";
import { parseJson } from "../json.ts";
import type { DeviceRoot } from "../ports.ts";
import { ConfigurationTree, type Change, type Interior } from "./tree.ts";

/** After so many entries the log is written anew, holding the present tree only. */
export const COMPACT_AFTER_ENTRIES = 15_000;

const Entry = z.object({
  TS: z.number(),
  TP: z.array(z.string()).min(1),
  W: z.enum(["changed", "removed", "timestampUpdated", "interiorAdded"]),
  V: z.json().optional(),
});

/**
 * The tree on disk: one JSON line a change. A line counts when it is whole, so a cut at any byte loses the changes from
 * that byte on and nothing else.
 */
export class TransactionLog {
  readonly tree: ConfigurationTree;
  readonly #root: DeviceRoot;
  readonly #path: string;
  #entries: number;
  #waiting: string[] = [];
  /** The file's tail is not to be trusted: write it whole the next time. */
  #anew: boolean;
  #writing: Promise<void> = Promise.resolve();
  #scheduled = false;
  #failure: unknown;

  private constructor(
    root: DeviceRoot,
    path: string,
    tree: ConfigurationTree,
    entries: number,
    anew: boolean,
  ) {
    this.#root = root;
    this.#path = path;
    this.tree = tree;
    this.#entries = entries;
    this.#anew = anew;
    tree.onChange((change) => this.#note(change));
  }

  static async open(root: DeviceRoot, path: string): Promise<TransactionLog> {
    const text = (await root.readText(path)) ?? "";
    const { tree, entries, whole } = replayed(text);
    return new TransactionLog(root, path, tree, entries, !whole || entries > COMPACT_AFTER_ENTRIES);
  }

  /** Resolves when every change so far is durable; rejects when the disk refused. */
  async synced(): Promise<void> {
    if (this.#waiting.length > 0 || this.#anew) this.#schedule();
    await this.#writing;
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      throw new Error(`cannot write ${this.#path}; free space on the device's disk`, { cause: failure });
    }
  }

  #note(change: Change): void {
    // What is private to a run (`_State` and the like) does not outlive it.
    if (change.path.some((name) => name.startsWith("_"))) return;
    this.#waiting.push(lineOf(change));
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#writing = this.#writing.then(async () => {
      this.#scheduled = false;
      await this.#write();
    });
  }

  async #write(): Promise<void> {
    const lines = this.#waiting;
    this.#waiting = [];
    try {
      if (this.#anew || this.#entries + lines.length > COMPACT_AFTER_ENTRIES) {
        // The tree holds what the waiting lines say.
        const snapshot = snapshotOf(this.tree.root);
        await this.#root.writeText(this.#path, snapshot);
        this.#entries = snapshot.split("\n").length - 1;
        this.#anew = false;
      } else if (lines.length > 0) {
        await this.#root.appendText(this.#path, lines.join(""));
        this.#entries += lines.length;
      }
    } catch (failure) {
      this.#anew = true;
      this.#failure = failure;
    }
  }
}

/** The tree as a log that makes it anew. */
export function snapshotOf(root: Interior): string {
  const lines: string[] = [];
  const visit = (node: Interior, path: readonly string[]): void => {
    for (const child of node.children.values()) {
      if (child.name.startsWith("_")) continue;
      const below = [...path, child.name];
      if (child.kind === "leaf")
        lines.push(lineOf({ kind: "changed", path: below, value: child.value, timestamp: child.modtime }));
      else {
        lines.push(lineOf({ kind: "interiorAdded", path: below, timestamp: child.made }));
        visit(child, below);
      }
    }
  };
  visit(root, []);
  return lines.join("");
}

/** Reads as far as the lines are whole and make sense. */
export function replayed(text: string): { tree: ConfigurationTree; entries: number; whole: boolean } {
  const tree = new ConfigurationTree();
  const lines = text.split("\n");
  const tail = lines.pop() ?? "";
  let entries = 0;
  for (const line of lines) {
    const entry = Entry.safeParse(parseJson(line));
    if (!entry.success) return { tree, entries, whole: false };
    const value: JsonValue = entry.data.V ?? null;
    tree.replay({ kind: entry.data.W, path: entry.data.TP, value, timestamp: entry.data.TS });
    entries++;
  }
  return { tree, entries, whole: tail === "" };
}

function lineOf(change: Change): string {
  return `${JSON.stringify({
    TS: change.timestamp,
    TP: change.path,
    W: change.kind,
    ...(change.kind === "changed" ? { V: change.value ?? null } : {}),
  })}\n`;
}
