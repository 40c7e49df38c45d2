import type { JobsForDeployments } from "../greengrass/jobs-port.ts";
import type { Jobs } from "./jobs.ts";

/** IoT Jobs as Greengrass uses it: a deployment to a group is a continuous job. */
export function deploymentJobs(jobs: Jobs): JobsForDeployments {
  return {
    create({ jobId, targetArn, document, rolloutConfig, abortConfig, timeoutConfig, namespaceId }) {
      jobs.create({
        jobId,
        targets: [targetArn],
        targetSelection: "CONTINUOUS",
        document,
        namespaceId,
        jobExecutionsRolloutConfig: rolloutConfig,
        abortConfig: abortConfig === undefined ? undefined : { criteriaList: [...abortConfig.criteriaList] },
        timeoutConfig,
      });
    },
    cancel(jobId, options) {
      // An abort criterion may have been quicker.
      if (jobs.job(jobId).status === "IN_PROGRESS") jobs.cancel(jobId, options);
    },
    executionsOf: (jobId) => jobs.executions.of(jobId),
  };
}
