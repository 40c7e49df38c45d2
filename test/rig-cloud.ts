import type { Closing } from "@coalmine/runtime";
import { ACCOUNT, type RigCloud } from "../api/rig.ts";
import { type PipelineCloud, startPipelineCloud } from "../cli/simulate/pipeline-cloud.ts";
import { ControlDoor } from "../simulator/cloud/control/control-door.ts";
import { recipe } from "../simulator/cloud/greengrass/test-fleet.ts";
import { operator } from "../simulator/cloud/protocol/test-cloud.ts";

/** The real local cloud with a pipeline and a control API, on a clock of its own. */
export async function startCloud(
  closing: Closing,
  name: string,
  region: string,
  /** For a test that looks behind the door. */
  started: (cloud: PipelineCloud["cloud"]) => void = () => undefined,
): Promise<RigCloud> {
  const control = new ControlDoor("token");
  const { cloud, clock, endpoint } = await startPipelineCloud(closing, {
    place: { region, accountId: ACCOUNT },
    startMs: Date.parse(name === "home" ? "2030-01-01T00:00:00Z" : "2031-01-01T00:00:00Z"),
    seed: name,
    credentials: operator,
    control,
  });
  started(cloud);
  control.add("status", () => ({ now: clock.now() }));
  control.add("run-until", async ({ time }) => {
    await clock.runUntil(Number(time));
    return { now: clock.now() };
  });
  const { jobsService: jobs } = cloud.iot;
  return {
    region,
    endpoint,
    controlUrl: `${endpoint}/control`,
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
      execution: (jobId, thing) => jobs.executions.get(jobId, thing),
      report: (jobId, thing, status, details) =>
        void jobs.executions.report(jobs.executions.get(jobId, thing), status, details),
      documentOf: (jobId) => JSON.parse(jobs.job(jobId).document),
    },
  };
}
