import { join } from "node:path";
import type { Clock, Model, Models, OpenOptions } from "@coalmine/ports";
import { ModelFailure } from "./model-error.ts";
import { ModelFiles } from "./model-files.ts";
import { ModelHome } from "./model-home.ts";
import { open, run, serveModelIfWorker } from "./model-thread.ts";
import { serveTrialIfAsked, startTrialIfThread, tryModel } from "./model-trial.ts";

/**
 * ONNX models, each in a worker thread of its own: a run never stops the component's loop, a candidate that is opened
 * never holds up the model that serves, and a worker that dies or hangs takes its own model with it only.
 *
 * The worker begins in the file that this module ends up in: `main.mjs` in an artifact, which has no other file to
 * begin in, and this one where sources run. There its role makes it serve, and `runComponent` does nothing.
 */
serveModelIfWorker();
startTrialIfThread();
serveTrialIfAsked(async ({ path, sha256, feeds }) => {
  const session = await open(path, sha256);
  const outputs = [];
  for (const each of feeds) outputs.push(await run(session, each));
  return outputs;
});

/** Models that may be open at once: one serves, one is its shadow, one or two are on their way in or out. */
const OPEN_MAX = 8;

export interface ModelWorkers extends Models {
  /** Ends every worker; open models are gone. */
  close(): Promise<void>;
  /** The workers of the open models, oldest first: what watches or disturbs them. */
  readonly homes: ReadonlySet<{ crash(): Promise<void> }>;
}

/** `workFolder` is the component's own; relative folders of models lie in it. */
export function modelWorkers(workFolder: string, clock: Clock): ModelWorkers {
  const files = new ModelFiles(workFolder);
  const homes = new Set<ModelHome>();
  return {
    homes,
    open: async (folder, sha256, options: OpenOptions = {}): Promise<Model> => {
      const path = join(await files.folder(folder), "model.onnx");
      if (homes.size >= OPEN_MAX)
        throw new ModelFailure(
          "MODEL_RUN_FAILED",
          `${OPEN_MAX} models are open; close one before another is opened`,
        );
      const home = new ModelHome(new URL(import.meta.url), clock, options.runMsMax);
      homes.add(home);
      try {
        const { inputNames, outputNames } = await home.open(path, sha256);
        return {
          inputNames,
          outputNames,
          run: (feeds) => home.run(feeds),
          close: async () => {
            homes.delete(home);
            await home.end();
          },
        };
      } catch (refused) {
        homes.delete(home);
        await home.end();
        throw refused;
      }
    },
    prove: async (folder, sha256, feeds, msMax) =>
      tryModel(
        new URL(import.meta.url),
        clock,
        { path: join(await files.folder(folder), "model.onnx"), sha256, feeds },
        msMax,
      ),
    readText: (folder, name) => files.readText(folder, name),
    copyToWork: (folder, target) => files.copy(folder, target),
    close: async () => {
      const open = [...homes];
      homes.clear();
      await Promise.all(open.map((home) => home.end()));
    },
  };
}
