import { coreDevice } from "../../artifacts-setup.ts";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client, model } from "aws-iot-device-sdk-v2/dist/greengrasscoreipc.js";
import type { OperationName } from "@coalmine/ipc";
import * as z from "zod";
import { processRig, until } from "../../../simulator/core-device/testing/process-rig.ts";
import { officialClient, refusalOf } from "./client.ts";

export const CALLER = "com.example.Caller";
const STRANGER = "com.example.Stranger";
/** A component that is paused, stopped and started again. */
export const TARGET = "com.example.Target";
const STREAM_MANAGER = "aws.greengrass.StreamManager";
export const THING = "core-1";

const everything = { all: { operations: ["*"], resources: ["*"] } };
const accessControl = Object.fromEntries(
  [
    "aws.greengrass.ipc.pubsub",
    "aws.greengrass.ipc.mqttproxy",
    "aws.greengrass.ipc.lifecycle",
    "aws.greengrass.SecretManager",
    "aws.greengrass.ShadowManager",
  ].map((service) => [service, everything]),
);
/** A component whose part a test plays, by the token that it was given. */
const lends = { Run: 'umask 077; printf %s "$SVCUID" > token.part; mv token.part token; exec sleep 100000' };

const Effective = z.object({
  effectiveDeployments: z.array(
    z.looseObject({ deploymentId: z.string(), coreDeviceExecutionStatus: z.string() }),
  ),
});

interface Deployed {
  readonly componentVersion: string;
  readonly configurationUpdate?: { readonly merge: string };
}

/**
 * A core device that is a process of its own, with the plugins of AWS that bring operations, and official clients of
 * it: a component that may do everything, one that may do nothing, the stream manager, and the command line.
 */
export async function deviceOfCallers() {
  const rig = await processRig(await coreDevice());
  const { operator } = rig;
  const root = await rig.rootOf(await operator.register(THING));
  const secret = { Name: "site/key", SecretString: "open sesame" };
  const secretArn = z
    .string()
    .parse((await operator.invoke("secretsmanager", "CreateSecret", secret))["ARN"]);
  await operator.publish(CALLER, "1.0.0", { Configuration: { accessControl, rate: 1 }, Lifecycle: lends });
  for (const name of [STRANGER, TARGET, STREAM_MANAGER])
    await operator.publish(name, "1.0.0", { Lifecycle: lends });
  for (const name of [CALLER, STRANGER, TARGET, STREAM_MANAGER])
    await until(`${name} is DEPLOYABLE`, async () => {
      const arn = `arn:aws:greengrass:us-east-1:123456789012:components:${name}:versions:1.0.0`;
      const described = await operator.invoke("greengrass", "DescribeComponent", { arn });
      return JSON.stringify(described["status"]).includes('"DEPLOYABLE"');
    });
  const components: Record<string, Deployed> = {
    ...Object.fromEntries(
      [CALLER, STRANGER, TARGET, STREAM_MANAGER].map((name) => [name, { componentVersion: "1.0.0" }]),
    ),
    "aws.greengrass.Cli": { componentVersion: "2.18.0" },
    "aws.greengrass.ShadowManager": { componentVersion: "2.3.11" },
    "aws.greengrass.SecretManager": {
      componentVersion: "2.2.0",
      configurationUpdate: { merge: JSON.stringify({ cloudSecrets: [{ arn: secretArn }] }) },
    },
  };

  /** A revision of the group's deployment, ended well. */
  async function deploy(changed: Record<string, Deployed> = {}): Promise<void> {
    const { deploymentId } = await operator.invoke("greengrass", "CreateDeployment", {
      targetArn: "arn:aws:iot:us-east-1:123456789012:thinggroup/fleet",
      components: { ...components, ...changed },
    });
    await until("the deployment succeeds", async () => {
      const answer = await operator.invoke("greengrass", "ListEffectiveDeployments", {
        coreDeviceThingName: THING,
      });
      const mine = Effective.parse(answer).effectiveDeployments.find(
        (one) => one.deploymentId === deploymentId,
      );
      if (mine?.coreDeviceExecutionStatus === "FAILED") throw new Error(JSON.stringify(mine));
      return mine?.coreDeviceExecutionStatus === "SUCCEEDED";
    });
  }

  async function fileOf(path: string): Promise<string> {
    let text = "";
    await until(`${path} is there`, async () => {
      text = await readFile(join(root, path), "utf8").catch(() => "");
      return text !== "";
    });
    return text;
  }

  const called = new Set<string>();
  /** Operation → how it was refused, however often. */
  const refused = new Map<string, Set<string>>();
  const connected = (token: string): Promise<Client> =>
    officialClient(join(root, "ipc.socket"), token, (operation) => called.add(operation));
  const tokenOf = (component: string): Promise<string> => fileOf(`work/${component}/token`);

  await rig.start(root);
  await deploy();
  const told = z
    .object({ cli_auth_token: z.string() })
    .parse(JSON.parse(await fileOf(`cli_ipc_info/user-${process.getuid?.() ?? 0}`)));
  await tokenOf(TARGET);
  const cli = await connected(told.cli_auth_token);
  return {
    rig,
    root,
    secretArn,
    called,
    refused,
    deploy,
    tokenOf,
    caller: await connected(await tokenOf(CALLER)),
    stranger: await connected(await tokenOf(STRANGER)),
    streamManager: await connected(await tokenOf(STREAM_MANAGER)),
    cli,
    /** How it was refused. */
    code: async (operation: OperationName, answer: Promise<unknown>): Promise<string> => {
      const { code } = await refusalOf(answer);
      refused.set(operation, (refused.get(operation) ?? new Set()).add(code));
      return code;
    },
    reaches: async (componentName: string, state: model.LifecycleState): Promise<void> => {
      await until(`${componentName} is ${state}`, async () => {
        const { componentDetails } = await cli.getComponentDetails({ componentName });
        return componentDetails?.state === state;
      });
    },
  };
}

export type DeviceOfCallers = Awaited<ReturnType<typeof deviceOfCallers>>;
/** How operations are used, and how they are refused. */
export type Exercises = Partial<Record<OperationName, (it: DeviceOfCallers) => Promise<void>>>;

export function text(bytes: unknown): string {
  return bytes instanceof ArrayBuffer ? Buffer.from(bytes).toString("utf8") : String(bytes);
}
