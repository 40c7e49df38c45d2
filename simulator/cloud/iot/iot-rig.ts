import type { Clock, Log, Random } from "@coalmine/ports";
import { DrivenClock, SeededRandom, silentLog } from "@coalmine/runtime";
import { Broker } from "../broker/broker.ts";
import { BareClient } from "../broker/client.ts";
import type { BrokerLimits } from "../broker/limits.ts";
import { linkPair } from "../broker/link-pair.ts";
import { CertificateAuthority } from "../identity/certificate-authority.ts";
import { CredentialsProvider } from "../identity/credentials.ts";
import type { CallFunction } from "../identity/pre-provisioning-hook.ts";
import { FleetProvisioning } from "../identity/provisioning.ts";
import { ProvisioningClaims } from "../identity/provisioning-claims.ts";
import { deploymentJobs } from "../jobs/deployment-jobs.ts";
import { DeviceJobs } from "../jobs/device-jobs.ts";
import { jobOperations } from "../jobs/job-operations.ts";
import { JobTemplates } from "../jobs/job-templates.ts";
import { JobTopics } from "../jobs/job-topics.ts";
import { Jobs } from "../jobs/jobs.ts";
import {
  type Caller,
  type CloudEvent,
  CloudEvents,
  type Input,
  type Place,
  ServiceError,
} from "../service.ts";
import { iotDataService } from "../shadows/data-service.ts";
import { Shadows } from "../shadows/shadows.ts";
import { memoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";
import { deploymentRegistry } from "./deployment-registry.ts";
import { type Endpoints, Iot } from "./iot.ts";

interface Base {
  readonly place: Place;
  readonly clock: Clock;
  readonly wallClock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly log: Log;
  readonly events: CloudEvents;
  readonly limits?: Partial<BrokerLimits>;
}

/** IoT and identity put together as a cloud does it, with nothing else of the cloud. */
export function composeIot(
  base: Base,
  options: {
    readonly authority: CertificateAuthority;
    readonly endpoints: Endpoints;
    readonly callFunction?: CallFunction | undefined;
  },
) {
  const { authority, endpoints, callFunction = noFunction } = options;
  const iot = new Iot({ ...base, issuer: authority, endpoints });
  const broker = new Broker({ ...base, authorize: iot.permissions.mqtt });
  iot.certificates.onCut((certificateId) => broker.disconnectCertificate(certificateId));
  const shadows = new Shadows({ ...base, broker });
  const jobs = new Jobs({ ...base, things: iot.things });
  const templates = new JobTemplates(base);
  const devices = new DeviceJobs({ ...base, jobs });
  const jobTopics = new JobTopics({ ...base, jobs, devices, broker });
  const provisioning = new FleetProvisioning({ ...base, iot, authority, broker, callFunction });
  const claims = new ProvisioningClaims({ ...base, iot, authority });
  const credentials = new CredentialsProvider({ ...base, iot });
  return {
    services: [
      iot.service({
        ...jobOperations({ ...base, jobs, templates, readObject: noObjects }),
        ...templates.operations(noObjects, (jobId) => jobs.job(jobId)),
        ...claims.operations(),
      }),
      iotDataService({ ...base, shadows, broker }),
    ],
    registry: deploymentRegistry(iot.things),
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
const noFunction: CallFunction = (arn) => Promise.reject(new Error(`there is no function ${arn}`));
const noObjects = (): Promise<never> =>
  Promise.reject(new ServiceError("NoSuchBucket", 404, "There is no S3 beside this."));

export type CloudIot = ReturnType<typeof composeIot>;

/** IoT and identity alone, on a driven clock with in-memory links: for the tests of these folders. */
export async function iotRig(
  options: { readonly callFunction?: CallFunction; readonly wallClock?: Clock } = {},
) {
  const clock = new DrivenClock(1_800_000_000_000, () => new Promise((done) => setImmediate(done)));
  const wallClock = options.wallClock ?? clock;
  const place = { region: "us-east-1", accountId: "123456789012" };
  const store = memoryStore();
  const authority = await CertificateAuthority.open({
    random: new SeededRandom("ca"),
    wallClock,
  });
  const told: CloudEvent[] = [];
  const operator: Caller = {
    identity: { kind: "account", principalArn: "arn:aws:iam::123456789012:user/operator" },
  };
  const start = () => {
    const events = new CloudEvents();
    events.on((event) => told.push(event));
    const base = { place, clock, wallClock, random: new SeededRandom("iot"), store, log: silentLog, events };
    const endpoints = { data: () => "localhost", credentials: () => "localhost:1" };
    return composeIot(base, { authority, endpoints, callFunction: options.callFunction });
  };
  let parts = start();
  const call = async (operation: string, input: Input = {}) => {
    const run = parts.services.find((service) => operation in service.operations)?.operations[operation];
    if (run === undefined) throw new Error(`no operation ${operation}`);
    const output: Input = await run(input, operator);
    return output;
  };
  return {
    clock,
    told,
    authority,
    place,
    get parts() {
      return parts;
    },
    /** Another process on the same state. */
    restart: () => {
      parts.iotJobs.stop();
      parts.broker.close();
      parts = start();
    },
    call,
    /** A device in this process: a thing, a principal and a policy. */
    device: async (thingName: string, policyDocument: object = everything) => {
      const policyName = `policy-${thingName}`;
      parts.iot.things.createThing(thingName);
      const { certificateId } = parts.iot.certificates.registerInProcess(thingName);
      parts.iot.things.principals.add(thingName, certificateId);
      if (parts.iot.policies.policies.get(policyName) === undefined)
        parts.iot.policies.create(policyName, JSON.stringify(policyDocument));
      parts.iot.policies.attached.add(policyName, `cert/${certificateId}`);
      await clock.settle();
      return certificateId;
    },
    connect: async (clientId: string, certificateId: string, thingName?: string) => {
      const [here, there] = linkPair();
      parts.broker.accept(there, { certificateId, thingName, kind: "in-process" });
      const client = new BareClient(here);
      client.connect(clientId, { clean: false, properties: { sessionExpiryInterval: 604_800 } });
      await clock.settle();
      return client;
    },
  };
}

export const everything = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "iot:*", Resource: "*" }],
};
