import {
  DescribeComponentCommand,
  GetDeploymentCommand,
  type GetDeploymentCommandOutput,
  GetServiceRoleForAccountCommand,
  paginateListCoreDevices,
  paginateListDeployments,
} from "@aws-sdk/client-greengrassv2";
import { paginateDescribeLogGroups } from "@aws-sdk/client-cloudwatch-logs";
import {
  DescribeEventConfigurationsCommand,
  DescribeThingGroupCommand,
  GetIndexingConfigurationCommand,
  GetV2LoggingOptionsCommand,
  ListAttachedPoliciesCommand,
  paginateListJobExecutionsForJob,
} from "@aws-sdk/client-iot";
import { names } from "../../../infra/identity/identity.ts";
import { certificatesOf, statusOf } from "../../../api/devices/registry.ts";
import { durationText } from "../../../pipeline/judge/verdict.ts";
import { type Account, callerOf, unlessNone } from "../account.ts";
import { advised, bad, type Check, fine, type Found } from "../check.ts";

/** A nucleus says how it is at least once a day. */
const SILENT_MS_MAX = 25 * 3_600_000;
/** A deployment takes minutes; one that hangs is found before the day is over. */
const STUCK_MS_MAX = 3_600_000;
/** Devices whose certificates are looked at, and devices that a sentence names. */
const DEVICES_ASKED_MAX = 50;
const NAMED_MAX = 5;
/** Not on until somebody opts in: their buckets answer only at the region's own address. */
const optIn =
  /^(af-south-1|ap-east-[12]|ap-south-2|ap-southeast-[34567]|ca-west-1|eu-(central-2|south-[12])|il-central-1|me-(central|south)-1|mx-central-1)$/;

/** What a fleet suffers from without anybody being told. */
export const fleetChecks: readonly Check<Account>[] = [
  {
    name: "devices that are heard",
    why: "a console shows what a device said last, however long ago; a nucleus says it on its own only once a day",
    look: async (account): Promise<Found> => {
      const devices = await devicesOf(account);
      const nowMs = account.clock.now();
      const silent = devices.filter(({ atMs }) => nowMs - atMs > SILENT_MS_MAX);
      const unhealthy = devices.filter(({ status }) => status !== "HEALTHY");
      if (unhealthy.length > 0)
        return bad(
          `${some(unhealthy.map(({ thing }) => thing))} have a component that is BROKEN`,
          "`coalmine device logs NAME` shows why; `coalmine fleet show` what they run",
        );
      return silent.length > 0
        ? bad(
            `${some(silent.map(({ thing, atMs }) => `${thing} (${durationText(nowMs - atMs)} ago)`))} were last heard too long ago`,
            "look at their power and link; `coalmine doctor --root` on the device says which address fails",
          )
        : fine(`${devices.length} core devices, all HEALTHY and heard within a day`);
    },
  },
  {
    name: "deployments that hang",
    why: "a device that stays IN_PROGRESS queues everything after it, and a continuous deployment never ends by itself",
    look: async (account): Promise<Found> => {
      const nowMs = account.clock.now();
      const stuck: string[] = [];
      for (const { iotJobId: jobId } of await inForce(account)) {
        if (jobId === undefined) continue;
        for await (const { executionSummaries = [] } of paginateListJobExecutionsForJob(
          { client: account.iot },
          { jobId, status: "IN_PROGRESS" },
        ))
          for (const { thingArn = "", jobExecutionSummary } of executionSummaries) {
            const ageMs = nowMs - (jobExecutionSummary?.startedAt?.getTime() ?? nowMs);
            if (ageMs > STUCK_MS_MAX)
              stuck.push(`${thingArn.slice(thingArn.lastIndexOf("/") + 1)} (since ${durationText(ageMs)})`);
          }
      }
      return stuck.length > 0
        ? bad(
            `${some(stuck)} have not finished`,
            "`coalmine device logs NAME` shows what each waits for; a new revision of the group takes the old one's place on devices that come back",
          )
        : fine("no device of the groups' revisions has been at it for more than an hour");
    },
  },
  {
    name: "what happens when a deployment fails",
    why: "with DO_NOTHING a device keeps the broken version, and says FAILED only once",
    look: async (account): Promise<Found> => {
      const revisions = await inForce(account);
      const kept = revisions.filter(
        ({ deploymentPolicies }) => deploymentPolicies?.failureHandlingPolicy === "DO_NOTHING",
      );
      return kept.length > 0
        ? bad(
            `${kept.map(groupOf).join(", ")} leave a failed device as it is`,
            "revise with failureHandlingPolicy ROLLBACK",
          )
        : fine(
            revisions.length === 0
              ? "no revision is in force yet"
              : "every revision in force rolls back on the device",
          );
    },
  },
  {
    name: "components that a revision left out",
    why: "a revision that does not list a component uninstalls it from every device of its group, without a word",
    look: async (account): Promise<Found> => {
      const left: string[] = [];
      for (const latest of await inForce(account)) {
        const before = await previousOf(account, latest);
        for (const component of Object.keys(before?.components ?? {}))
          if (!Object.hasOwn(latest.components ?? {}, component))
            left.push(`${component} from ${groupOf(latest)}`);
      }
      return left.length > 0
        ? advised(
            `the latest revisions removed ${some(left)}`,
            "if that was not meant, revise with the component listed again",
          )
        : fine("no latest revision removed anything");
    },
  },
  {
    name: "versions in force",
    why: "a version that cannot be deployed is refused by each device that comes new or back, long after it was published",
    look: async (account): Promise<Found> => {
      const { accountId, partition } = await callerOf(account);
      const wrong: string[] = [];
      const all = new Map<string, string>();
      for (const { components = {} } of await inForce(account))
        for (const [name, { componentVersion = "" }] of Object.entries(components))
          all.set(`${name}:${componentVersion}`, name);
      for (const [key, name] of all) {
        const version = key.slice(name.length + 1);
        const owner = name.startsWith("aws.") ? "aws" : accountId;
        const arn = `arn:${partition}:greengrass:${account.target.region}:${owner}:components:${name}:versions:${version}`;
        const found = await unlessNone(account.greengrass.send(new DescribeComponentCommand({ arn })));
        const state = found?.status?.componentState ?? "gone";
        if (state !== "DEPLOYABLE" || (found?.status?.vendorGuidance ?? "ACTIVE") !== "ACTIVE")
          wrong.push(
            `${name} ${version} (${state === "DEPLOYABLE" ? String(found?.status?.vendorGuidance) : state})`,
          );
      }
      return wrong.length > 0
        ? bad(`${some(wrong)} cannot be deployed any more`, "publish a version that can be, and roll it out")
        : fine(`all ${all.size} versions in force can be deployed`);
    },
  },
  {
    name: "the nucleus's own version",
    why: "a revision with components of AWS's and without a version of the nucleus may raise the nucleus by itself, which restarts every device",
    look: async (account): Promise<Found> => {
      const open = (await inForce(account)).filter(({ components = {} }) => {
        const listed = Object.keys(components);
        return (
          listed.some((name) => name.startsWith("aws.greengrass.")) &&
          !listed.includes("aws.greengrass.Nucleus")
        );
      });
      return open.length > 0
        ? advised(
            `${open.map(groupOf).join(", ")} have components of AWS's, and do not say which nucleus`,
            "list aws.greengrass.Nucleus with its version in the revision",
          )
        : fine("no revision in force leaves the nucleus's version open");
    },
  },
  {
    name: "how devices reach S3",
    why: "a nucleus asks S3's global address unless it is told otherwise, which fails for buckets of a region that one has to opt in to",
    look: async (account): Promise<Found> => {
      const { region } = account.target;
      if (!optIn.test(region)) return fine(`S3's global address serves ${region}`);
      const global = (await inForce(account)).filter(
        ({ components = {} }) =>
          !/"s3EndpointType"\s*:\s*"REGIONAL"/.test(
            components["aws.greengrass.Nucleus"]?.configurationUpdate?.merge ?? "",
          ),
      );
      return global.length > 0
        ? bad(
            `${region} has to be opted in to, and ${global.map(groupOf).join(", ")} leave s3EndpointType at GLOBAL`,
            'set "s3EndpointType": "REGIONAL" on aws.greengrass.Nucleus in the revision, and in each device\'s first configuration',
          )
        : fine(`every revision asks S3 at its address in ${region}`);
    },
  },
  {
    name: "certificates of devices",
    why: "what hangs on a thing group gives nothing to the data plane, so a certificate without a policy of its own lets deployments hang; an old one that stays ACTIVE opens the fleet to whoever finds it",
    look: async (account): Promise<Found> => {
      const { accountId, partition } = await callerOf(account);
      const devices = (await devicesOf(account)).slice(0, DEVICES_ASKED_MAX);
      const bare: string[] = [];
      const several: string[] = [];
      for (const { thing } of devices) {
        const active: string[] = [];
        for (const id of await certificatesOf(account, thing))
          if ((await statusOf(account, id)) === "ACTIVE") active.push(id);
        if (active.length > 1) several.push(`${thing} (${active.length})`);
        for (const id of active) {
          const target = `arn:${partition}:iot:${account.target.region}:${accountId}:cert/${id}`;
          const { policies = [] } = await account.iot.send(new ListAttachedPoliciesCommand({ target }));
          if (policies.length === 0) bare.push(thing);
        }
      }
      if (bare.length > 0)
        return bad(
          `certificates of ${some(bare)} have no policy`,
          `attach ${names.devicePolicy} to each: aws iot attach-policy --policy-name ${names.devicePolicy} --target ARN`,
        );
      return several.length > 0
        ? advised(
            `${some(several)} have more than one active certificate`,
            "revoke those that the device does not use: aws iot update-certificate --new-status INACTIVE",
          )
        : fine(
            `${devices.length} devices were looked at: each active certificate has a policy, none has a second`,
          );
    },
  },
  {
    name: "logs that arrive",
    why: "a fleet whose logs do not arrive looks like one that has nothing to say; a group without an end date is paid for for ever",
    look: async (account): Promise<Found> => {
      const forever: string[] = [];
      let groups = 0;
      for await (const { logGroups = [] } of paginateDescribeLogGroups(
        { client: account.logs },
        { logGroupNamePrefix: "/aws/greengrass/" },
      ))
        for (const { logGroupName = "", retentionInDays } of logGroups) {
          groups++;
          if (retentionInDays === undefined) forever.push(logGroupName);
        }
      if (groups === 0 && (await devicesOf(account)).length > 0)
        return bad(
          "there are core devices, and no log group below /aws/greengrass/",
          "look at coalmine.LogManager on a device, and at its role's right to logs:CreateLogGroup",
        );
      return forever.length > 0
        ? advised(
            `${some(forever)} keep their lines for ever`,
            "set a retention: aws logs put-retention-policy --retention-in-days 90 --log-group-name NAME",
          )
        : fine(`${groups} log groups, each with an end date`);
    },
  },
  {
    name: "log of AWS IoT",
    why: "what AWS IoT refuses a device, a connection or a message, is written down nowhere else",
    look: async ({ iot }): Promise<Found> => {
      const found = await unlessNone(iot.send(new GetV2LoggingOptionsCommand({})));
      const isOn =
        found !== undefined && found.disableAllLogs !== true && found.defaultLogLevel !== "DISABLED";
      return isOn
        ? fine(`it is on, from ${found.defaultLogLevel ?? "its default level"}`)
        : advised(
            "it is off",
            "switch it on: aws iot set-v2-logging-options --role-arn ROLE --default-log-level WARN",
          );
    },
  },
  {
    name: "events of jobs",
    why: "a deployment's steps on a device are events of its job: switched off, the evidence lacks a witness, and the controller looks only each minute",
    look: async ({ iot }): Promise<Found> => {
      const { eventConfigurations = {} } = await iot.send(new DescribeEventConfigurationsCommand({}));
      return eventConfigurations.JOB_EXECUTION?.Enabled === true
        ? fine("JOB_EXECUTION is on")
        : advised(
            "JOB_EXECUTION is off",
            "switch it on: `coalmine fleet install` does, and leaves alone what runs",
          );
    },
  },
  {
    name: "index of things",
    why: "while it is off nothing finds devices by attribute or connection, and a dynamic group is refused",
    look: async ({ iot }): Promise<Found> => {
      const { thingIndexingConfiguration: index } = await iot.send(new GetIndexingConfigurationCommand({}));
      return index?.thingIndexingMode === undefined || index.thingIndexingMode === "OFF"
        ? advised(
            "it is off",
            "switch it on where you search for devices: aws iot update-indexing-configuration --thing-indexing-configuration thingIndexingMode=REGISTRY,thingConnectivityIndexingMode=STATUS",
          )
        : fine(
            `it is on: ${index.thingIndexingMode}, connectivity ${index.thingConnectivityIndexingMode ?? "OFF"}`,
          );
    },
  },
  {
    name: "Greengrass service role",
    why: "without it cores do not learn of client devices and of each other's addresses; discovery answers with nothing",
    look: async ({ greengrass }): Promise<Found> => {
      const found = await unlessNone(greengrass.send(new GetServiceRoleForAccountCommand({})));
      return found?.roleArn === undefined
        ? advised(
            "none is associated in this region",
            "associate one where you have client devices: aws greengrassv2 associate-service-role-to-account --role-arn ROLE",
          )
        : fine(found.roleArn);
    },
  },
];

interface Seen {
  readonly thing: string;
  readonly status: string;
  readonly atMs: number;
}

async function devicesOf({ greengrass }: Account): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const { coreDevices = [] } of paginateListCoreDevices({ client: greengrass, pageSize: 100 }, {}))
    for (const { coreDeviceThingName: thing = "", status = "", lastStatusUpdateTimestamp } of coreDevices)
      seen.push({ thing, status, atMs: lastStatusUpdateTimestamp?.getTime() ?? 0 });
  return seen;
}

/** The latest revision of each of the fleet's groups that has one. */
async function inForce(account: Account): Promise<GetDeploymentCommandOutput[]> {
  const { canaryGroup, mainGroup } = account.target;
  const found: GetDeploymentCommandOutput[] = [];
  for (const thingGroupName of [canaryGroup, mainGroup]) {
    const group = await unlessNone(account.iot.send(new DescribeThingGroupCommand({ thingGroupName })));
    const [latest] =
      group?.thingGroupArn === undefined ? [] : await deploymentsOf(account, group.thingGroupArn, 1);
    if (latest !== undefined) found.push(latest);
  }
  return found;
}

async function previousOf(
  account: Account,
  latest: GetDeploymentCommandOutput,
): Promise<GetDeploymentCommandOutput | undefined> {
  return (await deploymentsOf(account, latest.targetArn ?? "", 2))[1];
}

/** Newest first. */
async function deploymentsOf(
  { greengrass }: Account,
  targetArn: string,
  count: number,
): Promise<GetDeploymentCommandOutput[]> {
  const found: { id: string; revision: number }[] = [];
  for await (const { deployments = [] } of paginateListDeployments(
    { client: greengrass },
    { targetArn, historyFilter: "ALL" },
  ))
    for (const { deploymentId: id = "", revisionId } of deployments)
      found.push({ id, revision: Number(revisionId) });
  const newest = found.sort((a, b) => b.revision - a.revision).slice(0, count);
  return Promise.all(newest.map(({ id }) => greengrass.send(new GetDeploymentCommand({ deploymentId: id }))));
}

function groupOf({ targetArn = "" }: GetDeploymentCommandOutput): string {
  return targetArn.slice(targetArn.lastIndexOf("/") + 1);
}

function some(items: readonly string[]): string {
  const more = items.length - NAMED_MAX;
  return `${items.slice(0, NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
