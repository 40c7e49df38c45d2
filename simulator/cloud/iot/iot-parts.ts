import type { Clock, Log, Random } from "@coalmine/ports";
import { Broker } from "../broker/broker.ts";
import type { BrokerLimits } from "../broker/limits.ts";
import type { CertificateAuthority } from "../identity/certificate-authority.ts";
import { CredentialsProvider } from "../identity/credentials.ts";
import { FleetProvisioning, type PreProvisioningHook } from "../identity/provisioning.ts";
import { deploymentJobs } from "../jobs/deployment-jobs.ts";
import { jobOperations } from "../jobs/job-operations.ts";
import { JobTopics } from "../jobs/job-topics.ts";
import { Jobs } from "../jobs/jobs.ts";
import type { CloudEvents, Place } from "../service.ts";
import { iotDataService } from "../shadows/data-service.ts";
import { Shadows } from "../shadows/shadows.ts";
import type { Store } from "../store/store.ts";
import { type Endpoints, Iot } from "./iot.ts";

export interface IotPartsOptions {
  readonly place: Place;
  readonly clock: Clock;
  readonly wallClock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly log: Log;
  readonly events: CloudEvents;
}

/** All of IoT and identity of one cloud, put together: what the rest of the cloud needs, and the parts for the doors. */
export function iotParts(
  base: IotPartsOptions,
  options: {
    readonly authority: CertificateAuthority;
    readonly endpoints: Endpoints;
    readonly hook?: PreProvisioningHook | undefined;
    readonly limits?: Partial<BrokerLimits>;
  },
) {
  const { authority, endpoints, hook } = options;
  const iot = new Iot({ ...base, issuer: authority, endpoints });
  const broker = new Broker({ ...base, authorize: iot.permissions.mqtt, limits: options.limits ?? {} });
  iot.certificates.onCut((certificateId) => broker.disconnectCertificate(certificateId));
  const shadows = new Shadows({ ...base, broker });
  const jobs = new Jobs({ ...base, things: iot.things });
  const jobTopics = new JobTopics({ ...base, jobs, broker });
  const provisioning = new FleetProvisioning({ ...base, iot, authority, broker, hook });
  const credentials = new CredentialsProvider({ ...base, iot });
  return {
    services: [iot.service(jobOperations(jobs)), iotDataService({ ...base, shadows, broker })],
    registry: iot.things,
    jobs: deploymentJobs(jobs),
    shadows,
    resolveCredentials: credentials.resolveCredentials,
    iot,
    broker,
    provisioning,
    credentials,
    iotJobs: jobs,
    jobTopics,
  };
}
export type CloudIot = ReturnType<typeof iotParts>;
