import { type Closing, DrivenClock, SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { Cloud } from "../../simulator/cloud/cloud.ts";
import { PipelineEngine } from "../../simulator/cloud/codepipeline/engine.ts";
import { codePipelineService } from "../../simulator/cloud/codepipeline/service.ts";
import type { ControlDoor } from "../../simulator/cloud/control/control-door.ts";
import { openIotParts, type LocalIot } from "../../simulator/cloud/iot-parts.ts";
import { listen } from "../../simulator/cloud/protocol/http-server.ts";
import { memoryStore } from "../../simulator/cloud/store/memory-store.ts";

export interface PipelineCloud {
  readonly cloud: Cloud<LocalIot>;
  /** Stands unless it is run: a pipeline has its turn when somebody gives it one. */
  readonly clock: DrivenClock;
  readonly endpoint: string;
}

/** The real local cloud in this process, with a pipeline whose commands all succeed, on a clock of its own. */
export async function startPipelineCloud(
  closing: Closing,
  options: {
    readonly place: { readonly region: string; readonly accountId: string };
    readonly startMs: number;
    readonly seed: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly control?: ControlDoor;
  },
): Promise<PipelineCloud> {
  const { place, control } = options;
  const clock = new DrivenClock(options.startMs, () => new Promise((resolve) => void setImmediate(resolve)));
  const random = new SeededRandom(options.seed);
  const cloud: Cloud<LocalIot> = new Cloud({
    place,
    clock,
    wallClock: systemClock,
    random,
    store: memoryStore(),
    log: silentLog,
    credentials: options.credentials,
    iot: await openIotParts({ random, wallClock: systemClock }),
    more: (base) => {
      const engine = new PipelineEngine({
        ...base,
        run: () => Promise.resolve({ kind: "succeeded", summary: "done" }),
      });
      return [codePipelineService(base.store, engine, base.place, () => clock.now())];
    },
  });
  closing.add(cloud, () => cloud.stop());
  const listening = await listen(
    (request) => (control?.owns(request) === true ? control.handle(request) : cloud.handle(request)),
    { port: 0 },
  );
  closing.add(listening, () => listening.close());
  cloud.servesAt(listening.endpoint);
  return { cloud, clock, endpoint: listening.endpoint };
}
