import type { Clock, Random } from "@coalmine/ports";
import * as z from "zod";
import { Broker } from "./broker/broker.ts";
import type { CloudBase, IotParts } from "./cloud.ts";
import { DynamicGroups } from "./fleet-index/dynamic-groups.ts";
import { FleetIndex } from "./fleet-index/fleet-index.ts";
import { fleetIndexOperations } from "./fleet-index/operations.ts";
import { iamService } from "./iam/iam-service.ts";
import { CertificateAuthority } from "./identity/certificate-authority.ts";
import { CredentialsProvider } from "./identity/credentials.ts";
import { FleetProvisioning } from "./identity/provisioning.ts";
import { ProvisioningClaims } from "./identity/provisioning-claims.ts";
import { deploymentRegistry } from "./iot/deployment-registry.ts";
import { deviceMay } from "./iot/device-may.ts";
import { Iot } from "./iot/iot.ts";
import { deploymentJobs } from "./jobs/deployment-jobs.ts";
import { DeviceJobs } from "./jobs/device-jobs.ts";
import type { ReadObject } from "./jobs/document-source.ts";
import { jobOperations } from "./jobs/job-operations.ts";
import { JobTemplates } from "./jobs/job-templates.ts";
import { JobTopics } from "./jobs/job-topics.ts";
import { Jobs } from "./jobs/jobs.ts";
import { jobsDataService } from "./jobs/jobs-data-service.ts";
import { RulesEngine } from "./rules/rules-engine.ts";
import { TopicRules } from "./rules/topic-rules.ts";
import { iotDataService } from "./shadows/data-service.ts";
import { Shadows } from "./shadows/shadows.ts";

const ObjectRead = z.object({ Body: z.instanceof(Uint8Array) });

/** AWS IoT as a cloud composes it, with what the doors for devices need. */
export interface LocalIot extends IotParts {
  readonly iot: Iot;
  readonly broker: Broker;
  readonly jobsService: Jobs;
  readonly authority: CertificateAuthority;
  readonly credentials: CredentialsProvider;
  readonly provisioning: FleetProvisioning;
  /** Ports are known only when the doors are open. */
  announce(endpoints: { readonly data: string; readonly credentials: string }): void;
}

export interface LocalIotOptions {
  readonly random: Random;
  readonly wallClock: Clock;
  /** Where the authority's key lies; without it it lives as long as the process. */
  readonly folder?: string | undefined;
  /** Marks real work in flight for a driven clock. */
  readonly busy?: (() => () => void) | undefined;
}

/** Opens the authority, and gives what composes the rest on a cloud's clock and state. */
export async function openIotParts(options: LocalIotOptions): Promise<(base: CloudBase) => LocalIot> {
  const authority = await CertificateAuthority.open(options);
  return (base) => composeIot(base, authority);
}

function composeIot(base: CloudBase, authority: CertificateAuthority): LocalIot {
  let endpoints = { data: "localhost:0", credentials: "localhost:0" };
  const iot = new Iot({
    ...base,
    issuer: authority,
    endpoints: { data: () => endpoints.data, credentials: () => endpoints.credentials },
  });
  const broker = new Broker({ ...base, authorize: iot.permissions.mqtt });
  // A certificate that stops counting ends its live sessions too, not only new ones.
  iot.certificates.onCut((certificateId) => broker.disconnectCertificate(certificateId));
  const jobs = new Jobs({ ...base, things: iot.things });
  const templates = new JobTemplates(base);
  const readObject: ReadObject = async (Bucket, Key) =>
    ObjectRead.parse(await base.invoke("s3", "GetObject", { Bucket, Key })).Body;
  const deviceJobs = new DeviceJobs({ jobs, clock: base.clock });
  const topics = new JobTopics({ jobs, devices: deviceJobs, broker, clock: base.clock });
  const shadows = new Shadows({ ...base, broker });
  const index = new FleetIndex({
    ...base,
    things: iot.things,
    shadowOf: (id) => shadows.indexed(id),
    isConnected: (clientId) => broker.isConnected(clientId),
  });
  const dynamicGroups = new DynamicGroups({ things: iot.things, index, events: base.events });
  const credentials = new CredentialsProvider({ ...base, iot });
  const callFunction = (arn: string, event: unknown): Promise<unknown> => base.functions.call(arn, event);
  const provisioning = new FleetProvisioning({ ...base, iot, authority, broker, callFunction });
  const claims = new ProvisioningClaims({ ...base, iot, authority });
  void topics;
  const rules = new TopicRules(base);
  const engine = new RulesEngine({
    ...base,
    rules,
    ports: {
      invoke: base.invoke,
      callFunction,
      publish: (topic, payload, options) => broker.publish(topic, payload, options),
    },
  });
  broker.onPassing((message) => engine.take(message));
  return {
    iot,
    broker,
    jobsService: jobs,
    authority,
    credentials,
    provisioning,
    services: [
      iot.service({
        ...jobOperations({ ...base, jobs, templates, readObject }),
        ...templates.operations(readObject, (jobId) => jobs.job(jobId)),
        ...rules.operations(),
        ...fleetIndexOperations({ things: iot.things, index, dynamicGroups }),
        ...claims.operations(),
      }),
      iotDataService({ shadows, broker, events: base.events, clock: base.clock }),
      jobsDataService(jobs, deviceJobs),
      iamService({ roleAliases: iot.roleAliases.table, place: base.place }),
    ],
    registry: deploymentRegistry(iot.things),
    jobs: deploymentJobs(jobs),
    shadows,
    resolveCredentials: credentials.resolveCredentials,
    deviceMay: deviceMay(iot.permissions, base.place),
    mayCall: (certificateId, action, resource) => iot.permissions.mayCall(certificateId, action, resource),
    announce: (given) => {
      endpoints = given;
    },
    stop: () => {
      provisioning.stop();
      claims.stop();
      jobs.stop();
      broker.close();
    },
  };
}
