import type { Files } from "@coalmine/ports";
import type { LogSource } from "./config.ts";
import type { LetterUpload } from "./dead-letters/letter-upload.ts";
import { FolderWatch } from "./folder-watch.ts";
import { openingRule } from "./openings.ts";
import type { Shared } from "./shared.ts";
import { SourceUploader } from "./source-uploader.ts";

/** All sources under one configuration, each on its own; what they share is handed in. Runs until it is stopped. */
export class Work {
  readonly uploaders: readonly SourceUploader[];
  readonly #stop = new AbortController();
  readonly #watches: readonly FolderWatch[];
  readonly #running: Promise<unknown>;
  readonly #localTopic: Shared["localTopic"];
  #localDropped = 0;

  constructor(
    files: Pick<Files, "foreign">,
    sources: readonly LogSource[],
    shared: Shared & { readonly letterUpload: LetterUpload | undefined },
  ) {
    this.#localTopic = shared.localTopic;
    const made = sources.map((source) => ({
      source,
      uploader: new SourceUploader(
        source,
        files.foreign(source.folder),
        openingRule(source.multiLine),
        shared,
      ),
    }));
    this.uploaders = made.map(({ uploader }) => uploader);
    const { liveTail, liveTailDelaySec } = shared.config;
    this.#watches = [...Map.groupBy(made, ({ source }) => source.folder)].map(
      ([folder, inside]) =>
        new FolderWatch(
          files.foreign(folder),
          shared.clock,
          liveTailDelaySec * 1000,
          inside.map(({ uploader }) => uploader),
        ),
    );
    if (liveTail) for (const watch of this.#watches) watch.open();
    const running = [...this.uploaders, ...(shared.letterUpload === undefined ? [] : [shared.letterUpload])];
    this.#running = Promise.all(running.map((one) => one.run(this.#stop.signal)));
  }

  /** Events that the local topic left out since this was last asked. */
  takeLocalDropped(): number {
    const dropped = (this.#localTopic?.dropped ?? 0) - this.#localDropped;
    this.#localDropped += dropped;
    return dropped;
  }

  async stop(): Promise<void> {
    for (const watch of this.#watches) watch.close();
    this.#stop.abort(new Error("stopping"));
    await this.#running;
    this.#localTopic?.close();
  }
}
