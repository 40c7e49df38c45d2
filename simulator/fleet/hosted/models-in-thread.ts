import { join } from "node:path";
import { ModelFiles } from "@coalmine/device/model-files";
import { open, run } from "@coalmine/device/model-thread";
import type { Models } from "@coalmine/ports";

/**
 * The real models, run on the simulation's own thread. A device runs them beside its component, so that a run never
 * stops the component's loop; here nobody's loop may go on before the run is done, and crossing to another thread and
 * back would take five times as long as the run.
 */
export function modelsInThread(workFolder: string): Models {
  const files = new ModelFiles(workFolder);
  return {
    open: async (folder, sha256) => {
      const session = await open(join(await files.folder(folder), "model.onnx"), sha256);
      return {
        inputNames: session.inputNames,
        outputNames: session.outputNames,
        run: (feeds) => run(session, feeds),
        close: () => session.release(),
      };
    },
    prove: async (folder, sha256, feeds) => {
      const session = await open(join(await files.folder(folder), "model.onnx"), sha256);
      try {
        const outputs = [];
        for (const each of feeds) outputs.push(await run(session, each));
        return outputs;
      } finally {
        await session.release();
      }
    },
    readText: (folder, name) => files.readText(folder, name),
    copyToWork: (folder, target) => files.copy(folder, target),
  };
}
