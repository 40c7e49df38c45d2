import { type Closing, DrivenClock, SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { ACCOUNT, type RigCloud } from "../api/rig.ts";
import { Cloud } from "../simulator/cloud/cloud.ts";
import { PipelineEngine } from "../simulator/cloud/codepipeline/engine.ts";
import { codePipelineService } from "../simulator/cloud/codepipeline/service.ts";
import { ControlDoor } from "../simulator/cloud/control/control-door.ts";
import { recipe } from "../simulator/cloud/greengrass/test-fleet.ts";
import { openIotParts, type LocalIot } from "../simulator/cloud/iot-parts.ts";
import { listen } from "../simulator/cloud/protocol/http-server.ts";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";
import { memoryStore } from "../simulator/cloud/store/memory-store.ts";

/** The real local cloud with a pipeline and a control API, on a clock of its own. */
export async function startRigCloud(closing: Closing, name: string, region: string): Promise<RigCloud> {
  const start = Date.parse(name === "home" ? "2030-01-01T00:00:00Z" : "2031-01-01T00:00:00Z");
  const clock = new DrivenClock(start, () => new Promise((resolve) => void setImmediate(resolve)));
  const random = new SeededRandom(name);
  const cloud: Cloud<LocalIot> = new Cloud({
    place: { region, accountId: ACCOUNT },
    clock,
    wallClock: systemClock,
    random,
    store: memoryStore(),
    log: silentLog,
    credentials: operator,
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
  const control = new ControlDoor("token");
  control.add("status", () => ({ now: clock.now() }));
  control.add("run-until", async ({ time }) => {
    await clock.runUntil(Number(time));
    return { now: clock.now() };
  });
  const listening = await listen(
    (request) => (control.owns(request) ? control.handle(request) : cloud.handle(request)),
    { port: 0 },
  );
  closing.add(listening, () => listening.close());
  cloud.servesAt(listening.endpoint);
  const { jobsService: jobs } = cloud.iot;
  return {
    region,
    endpoint: listening.endpoint,
    controlUrl: `${listening.endpoint}/control`,
    clock,
    recipe: (component, version) => recipe(component, version),
    onEvent: (listener) => cloud.events.on(listener),
    fleet: {
      clock,
      publish: (topic, payload) =>
        cloud.events.emit({
          kind: "mqtt-message",
          topic,
          payload: Buffer.from(JSON.stringify(payload)),
          clientId: topic,
          at: clock.now(),
        }),
      execution: (jobId, thing) => jobs.execution(jobId, thing),
      report: (jobId, thing, status, details) =>
        void jobs.report(jobs.execution(jobId, thing), status, details),
      documentOf: (jobId) => JSON.parse(jobs.job(jobId).document),
    },
  };
}
