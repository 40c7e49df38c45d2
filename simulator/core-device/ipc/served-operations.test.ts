import { operations, type OperationName } from "@coalmine/ipc";
import { expect, test } from "vitest";
import { install } from "../testing/component.ts";
import { deviceUnderTest } from "../testing/device.ts";
import { noStream } from "../testing/no-stream.ts";
import { secretEnd } from "../testing/secret-end.ts";

/** Who answers each operation of the model; `nobody` is refused whatever is deployed. */
const servedBy: Readonly<Record<OperationName, string>> = {
  AuthorizeClientDeviceAction: "nobody",
  CancelLocalDeployment: "aws.greengrass.Cli",
  CreateDebugPassword: "aws.greengrass.Cli",
  CreateLocalDeployment: "aws.greengrass.Cli",
  DeferComponentUpdate: "the nucleus",
  DeleteThingShadow: "aws.greengrass.ShadowManager",
  GetClientDeviceAuthToken: "nobody",
  GetComponentDetails: "aws.greengrass.Cli",
  GetConfiguration: "the nucleus",
  GetLocalDeploymentStatus: "aws.greengrass.Cli",
  GetSecretValue: "aws.greengrass.SecretManager",
  GetThingShadow: "aws.greengrass.ShadowManager",
  ListComponents: "aws.greengrass.Cli",
  ListLocalDeployments: "aws.greengrass.Cli",
  ListNamedShadowsForThing: "aws.greengrass.ShadowManager",
  PauseComponent: "the nucleus",
  PublishToIoTCore: "the nucleus",
  PublishToTopic: "the nucleus",
  PutComponentMetric: "the nucleus",
  RestartComponent: "aws.greengrass.Cli",
  ResumeComponent: "the nucleus",
  SendConfigurationValidityReport: "the nucleus",
  StopComponent: "aws.greengrass.Cli",
  SubscribeToCertificateUpdates: "nobody",
  SubscribeToComponentUpdates: "the nucleus",
  SubscribeToConfigurationUpdate: "the nucleus",
  SubscribeToIoTCore: "the nucleus",
  SubscribeToTopic: "the nucleus",
  SubscribeToValidateConfigurationUpdates: "the nucleus",
  UpdateConfiguration: "the nucleus",
  UpdateState: "the nucleus",
  UpdateThingShadow: "aws.greengrass.ShadowManager",
  ValidateAuthorizationToken: "the nucleus",
  VerifyClientDeviceIdentity: "nobody",
};

test("every operation of the model is served by the nucleus or by the plugin that brings it, or refused in the nucleus's words [core-device-8.11] [core-device-8.15]", async () => {
  const plugins = [...new Set(Object.values(servedBy))].filter((name) => name.startsWith("aws."));
  const bare = await deviceUnderTest({ secrets: secretEnd() });
  await install(bare, { A: {} });
  expect(await served(bare)).toEqual(
    Object.fromEntries(operations.map(({ name }) => [name, servedBy[name] === "the nucleus"])),
  );
  const equipped = await deviceUnderTest({ secrets: secretEnd() });
  await install(equipped, { A: {}, ...Object.fromEntries(plugins.map((name) => [name, {}])) });
  expect(await served(equipped)).toEqual(
    Object.fromEntries(operations.map(({ name }) => [name, servedBy[name] !== "nobody"])),
  );
});

async function served(it: Awaited<ReturnType<typeof deviceUnderTest>>): Promise<Record<string, boolean>> {
  const found: Record<string, boolean> = {};
  for (const { name } of operations)
    try {
      await it.device.service.open("A", name, {}, noStream());
      found[name] = true;
    } catch (refusal) {
      const { code, message } = refusal as { code: string; message: string };
      const isUnsupported = message === `Operation aws.greengrass#${name} is not supported by Greengrass`;
      if (isUnsupported) expect(code).toBe("ServiceError");
      found[name] = !isUnsupported;
    }
  return found;
}

test("a secret manager without a cloud to ask is no secret manager [core-device-8.15]", async () => {
  const it = await deviceUnderTest();
  await install(it, { A: {}, "aws.greengrass.SecretManager": {} });
  await expect(
    it.device.service.open("A", "GetSecretValue", { secretId: "s" }, noStream()),
  ).rejects.toMatchObject({
    code: "ServiceError",
    message: "Operation aws.greengrass#GetSecretValue is not supported by Greengrass",
  });
});
