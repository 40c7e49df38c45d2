import { createServer, type AddressInfo } from "node:net";
import { names } from "../../infra/identity/identity.ts";
import { iotArn, startTestFleet, type TestFleet } from "../../simulator/cloud/greengrass/test-fleet.ts";
import { operator } from "../../simulator/cloud/protocol/test-cloud.ts";
import { setUpRegion } from "../system/set-up.ts";
import { type Account, closeAccount, openAccount } from "./account.ts";
import { targetOf } from "./account-targets.ts";

const place = { region: "us-east-1", accountId: "123456789012", partition: "aws" };

/** A local account as the stacks leave one, with a device that is well; doctor has nothing to say of it. */
export interface HealthyAccount {
  readonly fleet: TestFleet;
  readonly account: Account;
  /** Where devices are told to connect; without a port where somebody listens. */
  doorsAt(port?: number): void;
  /** What a nucleus says of itself. */
  say(thing: string, overallDeviceStatus: string): Promise<void>;
  close(): Promise<void>;
}

export const arnOf = (group: string): string => `${iotArn}:thinggroup/${group}`;

export async function startHealthyAccount(): Promise<HealthyAccount> {
  const fleet = await startTestFleet();
  const { clock, cloud } = fleet;
  const invoke = (service: string, operation: string, input: object): Promise<object> =>
    cloud.cloud.invoke(service, operation, input);
  const door = createServer((socket) => socket.destroy());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what listens on a port has an address of this kind.
  const ownPort = (): number => (door.address() as AddressInfo).port;
  const doorsAt = (port = ownPort()): void =>
    cloud.cloud.iot.announce({ data: `127.0.0.1:${port}`, credentials: `127.0.0.1:${port}` });
  const say = async (thing: string, overallDeviceStatus: string): Promise<void> => {
    const told = {
      ggcVersion: "2.18.0",
      platform: "linux",
      architecture: "amd64",
      thing,
      sequenceNumber: 1,
      timestamp: clock.now(),
      messageType: "COMPLETE",
      trigger: "CADENCE",
      overallDeviceStatus,
      components: [],
    };
    cloud.cloud.events.emit({
      kind: "mqtt-message",
      topic: `$aws/things/${thing}/greengrassv2/health/json`,
      clientId: thing,
      at: clock.now(),
      payload: Buffer.from(JSON.stringify(told)),
    });
    await fleet.wait(1000);
  };
  const target = { ...targetOf(place.region, place.accountId), endpoint: cloud.endpoint };
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: operator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: operator.secretAccessKey,
    AWS_SESSION_TOKEN: "",
  });
  await setUpRegion(invoke, place, [target.artifactBucket, target.lakeBucket]);
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  doorsAt();
  await invoke("s3", "PutBucketVersioning", {
    Bucket: target.artifactBucket,
    VersioningConfiguration: { Status: "Enabled" },
  });
  await invoke("iot", "SetV2LoggingOptions", {
    roleArn: "arn:aws:iam::123456789012:role/Log",
    defaultLogLevel: "WARN",
  });
  await invoke("iot", "UpdateEventConfigurations", {
    eventConfigurations: { JOB_EXECUTION: { Enabled: true } },
  });
  await invoke("iot", "UpdateIndexingConfiguration", {
    thingIndexingConfiguration: { thingIndexingMode: "REGISTRY" },
  });
  await invoke("greengrass", "AssociateServiceRoleToAccount", {
    roleArn: "arn:aws:iam::123456789012:role/Greengrass",
  });
  await invoke("logs", "CreateLogGroup", { logGroupName: "/aws/greengrass/UserComponent/us-east-1/a.b" });
  await invoke("logs", "PutRetentionPolicy", {
    logGroupName: "/aws/greengrass/UserComponent/us-east-1/a.b",
    retentionInDays: 90,
  });
  await invoke("iot", "AddThingToThingGroup", { thingName: "core-1", thingGroupName: names.mainGroup });
  await fleet.publish("com.example.One", "1.0.0");
  await fleet.publish("com.example.Two", "1.0.0");
  await fleet.deploy(arnOf(names.mainGroup), { "com.example.One": "1.0.0", "com.example.Two": "1.0.0" });
  await say("core-1", "HEALTHY");
  const account = openAccount(target, { clock: clock, alsoNeeded: [] });
  return {
    fleet,
    account,
    doorsAt,
    say,
    close: async () => {
      closeAccount(account);
      door.close();
      await fleet.close();
    },
  };
}
