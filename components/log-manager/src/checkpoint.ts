import type { Files } from "@coalmine/ports";
import * as z from "zod";
import type { Position } from "./tail.ts";

const Stored = z.object({
  version: z.literal(1),
  positions: z.record(z.string(), z.object({ offset: z.number(), mark: z.string() })),
});
const NAME = "positions.json";
const NEW = "positions.json.new";
/** Positions of files long gone are dropped beyond this many; the log folder holds far fewer. */
const POSITIONS_MAX = 2000;

/** How far each file went to the cloud, kept on disk: whole or the one before, never half. */
export class Checkpoint {
  readonly #files: Files;
  readonly #positions: Map<string, Position>;

  private constructor(files: Files, positions: Map<string, Position>) {
    this.#files = files;
    this.#positions = positions;
  }

  /** A checkpoint that cannot be read is like none: lines go twice rather than not at all. */
  static async open(files: Files): Promise<Checkpoint> {
    const positions = await readText(files, NAME)
      .then((text) => new Map(Object.entries(Stored.parse(JSON.parse(text)).positions)))
      .catch(() => new Map<string, Position>());
    return new Checkpoint(files, positions);
  }

  get(key: string): Position | undefined {
    return this.#positions.get(key);
  }

  set(key: string, position: Position): void {
    this.#positions.delete(key);
    this.#positions.set(key, position);
    for (const oldest of this.#positions.keys()) {
      if (this.#positions.size <= POSITIONS_MAX) break;
      this.#positions.delete(oldest);
    }
  }

  async save(): Promise<void> {
    const text = JSON.stringify({ version: 1, positions: Object.fromEntries(this.#positions) });
    const file = await this.#files.open(NEW, "create");
    try {
      await file.truncate(0);
      await file.write(0, new TextEncoder().encode(text));
      await file.sync();
    } finally {
      await file.close();
    }
    await this.#files.rename(NEW, NAME);
    await this.#files.syncFolder("");
  }
}

async function readText(files: Files, name: string): Promise<string> {
  const file = await files.open(name, "read");
  try {
    return new TextDecoder().decode(await file.read(0, await file.size()));
  } finally {
    await file.close();
  }
}
