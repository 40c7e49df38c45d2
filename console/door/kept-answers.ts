/** What was answered last, for whoever loses the line. It ends with the tab, and with the session. */
export interface KeptAnswers {
  keep(name: string, value: unknown): void;
  last(name: string): Last | undefined;
  forget(): void;
}
export interface Last<Value = unknown> {
  readonly value: Value;
  readonly ageMs: number;
}

const PREFIX = "answer ";
/** A morning's pages; what is older makes room. */
const ANSWERS_MAX = 40;

/** On the wall's clock, which goes on while a page is loaded anew. */
export function keptAnswers(
  storage: Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">,
  nowMs: () => number,
): KeptAnswers {
  const names = (): string[] =>
    Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "").filter((name) =>
      name.startsWith(PREFIX),
    );
  const forget = (): void => names().forEach((name) => storage.removeItem(name));
  return {
    keep(name, value) {
      try {
        storage.setItem(PREFIX + name, `${nowMs()} ${JSON.stringify(value)}`);
        const all = names();
        if (all.length > ANSWERS_MAX)
          storage.removeItem(all.reduce((a, b) => (atMs(storage, a) <= atMs(storage, b) ? a : b)));
      } catch {
        // It does not fit: what is old is of less use than what comes.
        forget();
      }
    },
    last(name) {
      const kept = storage.getItem(PREFIX + name);
      if (kept === null) return undefined;
      const value: unknown = JSON.parse(kept.slice(kept.indexOf(" ")));
      return { value, ageMs: Math.max(0, nowMs() - Number.parseInt(kept, 10)) };
    },
    forget,
  };
}

function atMs(storage: Pick<Storage, "getItem">, name: string): number {
  return Number.parseInt(storage.getItem(name) ?? "0", 10);
}
