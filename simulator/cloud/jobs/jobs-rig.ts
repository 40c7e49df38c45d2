import { iotRig } from "../iot/iot-rig.ts";

export const NS = "aws-gg-deployment";
export const group = "arn:aws:iot:us-east-1:123456789012:thinggroup/fleet";
export const MINUTE = 60_000;

/** So many things in one group, on a driven clock, and jobs for that group. */
export async function fleet(count: number) {
  const rig = await iotRig();
  const { things } = rig.parts.iot;
  things.groups.create("fleet");
  const names = Array.from({ length: count }, (_, index) => `t${String(index).padStart(4, "0")}`);
  for (const name of names) {
    things.createThing(name);
    things.addToGroup(name, "fleet");
  }
  const create = (jobId: string, options: object = {}) =>
    rig.call("CreateJob", {
      jobId,
      targets: [group],
      document: JSON.stringify({ jobId }),
      targetSelection: "CONTINUOUS",
      namespaceId: NS,
      ...options,
    });
  const report = (
    jobId: string,
    thing: string,
    status: "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "REJECTED",
  ) => rig.parts.iotJobs.executions.report(rig.parts.iotJobs.executions.get(jobId, thing), status);
  const counts = (jobId: string) => rig.parts.iotJobs.executions.counts(jobId);
  return {
    ...rig,
    get parts() {
      return rig.parts;
    },
    names,
    create,
    report,
    counts,
  };
}
