import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "@coalmine/ports";
import { DrivenClock } from "@coalmine/runtime";
import { ArtifactCache } from "../hosted/artifact-cache.ts";
import { HostedRoot } from "../hosted/hosted-root.ts";
import { MemoryDisk } from "../hosted/memory-disk.ts";

/** A hosted device's root whose disk can be told to refuse. */
export class FailingRoot extends HostedRoot {
  fail = false;
  override async writeText(path: string, text: string): Promise<void> {
    this.#check(path);
    await super.writeText(path, text);
  }
  override async appendText(path: string, text: string): Promise<void> {
    this.#check(path);
    await super.appendText(path, text);
  }
  #check(path: string): void {
    if (this.fail) throw new Error(`no space left for ${path}`);
  }
}

let cache: ArtifactCache | undefined;

export function memoryRoot(clock: Clock = new DrivenClock(0, async () => undefined)): FailingRoot {
  cache ??= new ArtifactCache(mkdtempSync(join(tmpdir(), "coalmine-artifacts-")));
  return new FailingRoot("/greengrass/v2", new MemoryDisk(clock), cache);
}
