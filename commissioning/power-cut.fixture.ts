import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { DurableFiles } from "./durable-files.ts";

/** The power goes at the n-th point: before, half-way through (of a file: half of it is written) or after something. */
export class PowerCut {
  /** What was passed. */
  readonly points: string[] = [];
  readonly #n: number;
  readonly #dies: () => Promise<unknown>;

  constructor(n: number, dies: () => Promise<unknown> = async () => undefined) {
    this.#n = n;
    this.#dies = dies;
  }

  async around<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
    await this.#point(`before ${name}`);
    const result = await run();
    await this.#point(`after ${name}`);
    return result;
  }

  files(real: DurableFiles): DurableFiles {
    return {
      write: async (path, content, mode) => {
        await this.#point(`before ${basename(path)}`);
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeFile(`${path}.part`, content.slice(0, content.length / 2), { mode: 0o644 });
        await this.#point(`half of ${basename(path)}`);
        await real.write(path, content, mode);
        await this.#point(`after ${basename(path)}`);
      },
      erase: (path) => this.around(`erasing ${basename(path)}`, () => real.erase(path)),
    };
  }

  async #point(name: string): Promise<void> {
    this.points.push(name);
    if (this.points.length !== this.#n) return;
    await this.#dies();
    throw new Cut("cut");
  }
}

class Cut extends Error {}

/** True for a cut; throws what is another failure. */
export function onlyCut(failure: unknown): true {
  if (failure instanceof Cut) return true;
  throw failure;
}
