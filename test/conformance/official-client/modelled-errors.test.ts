import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IpcServiceError, operations, type IpcService } from "@coalmine/ipc";
import { serveOnUnixSocket } from "@coalmine/ipc/unix-socket";
import { afterAll, beforeAll, expect, test } from "vitest";
import { methodOf, officialClient, officialErrors, refusalOf } from "./client.ts";

/** A device that refuses everything with one error. */
let error: IpcServiceError;
const refusing: IpcService = {
  authenticate: () => "com.example.Caller",
  open: () => Promise.reject(error),
};

/** Enough of a request for the client's own validation. */
const requests: Readonly<Record<string, object>> = {
  AuthorizeClientDeviceAction: { clientDeviceAuthToken: "t", operation: "o", resource: "r" },
  DeferComponentUpdate: { deploymentId: "d" },
  DeleteThingShadow: { thingName: "T" },
  GetClientDeviceAuthToken: { credential: { mqttCredential: {} } },
  GetComponentDetails: { componentName: "A" },
  GetConfiguration: { keyPath: [] },
  GetLocalDeploymentStatus: { deploymentId: "d" },
  GetSecretValue: { secretId: "s" },
  GetThingShadow: { thingName: "T" },
  ListNamedShadowsForThing: { thingName: "T" },
  PauseComponent: { componentName: "A" },
  PublishToIoTCore: { topicName: "t", qos: "1" },
  PublishToTopic: { topic: "t", publishMessage: { jsonMessage: { message: {} } } },
  PutComponentMetric: { metrics: [] },
  RestartComponent: { componentName: "A" },
  ResumeComponent: { componentName: "A" },
  SendConfigurationValidityReport: { configurationValidityReport: { status: "ACCEPTED", deploymentId: "d" } },
  StopComponent: { componentName: "A" },
  SubscribeToCertificateUpdates: { certificateOptions: { certificateType: "SERVER" } },
  SubscribeToConfigurationUpdate: { keyPath: [] },
  SubscribeToIoTCore: { topicName: "t", qos: "1" },
  SubscribeToTopic: { topic: "t" },
  UpdateConfiguration: { timestamp: new Date(), valueToMerge: {} },
  UpdateState: { state: "RUNNING" },
  UpdateThingShadow: { thingName: "T", payload: "e30=" },
  ValidateAuthorizationToken: { token: "t" },
  VerifyClientDeviceIdentity: { credential: { clientDeviceCertificate: "c" } },
};

let client: Awaited<ReturnType<typeof officialClient>>;
let close: () => Promise<void>;
beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "gg-"));
  const socket = await serveOnUnixSocket(refusing, root);
  client = await officialClient(socket.path, "TOKEN");
  close = async () => {
    await client.close();
    await socket.close();
    await rm(root, { recursive: true });
  };
});
afterAll(() => close());

test.each(operations)(
  "the official client knows each error of $name, and none that is not of it [core-device-8.33]",
  async ({ name, events }) => {
    const ask = async (): Promise<unknown> => {
      const method = Reflect.get(client, methodOf(name)) as (request: object) => unknown;
      const answer = method(requests[name] ?? {});
      return events === undefined ? answer : (answer as { activate(): Promise<unknown> }).activate();
    };
    for (const code of officialErrors(name)) {
      error = new IpcServiceError(code, `why ${code}`);
      expect(await refusalOf(ask())).toEqual({ code, message: `why ${code}` });
    }
    const others = ["InvalidTokenError", "ComponentNotFoundError"] as const;
    const foreign = others.find((code) => !officialErrors(name).includes(code)) ?? "ConflictError";
    error = new IpcServiceError(foreign, "why");
    expect(await refusalOf(ask())).toEqual({
      code: "no modelled error",
      message: `Unexpected response shape received: 'aws.greengrass#${foreign}'`,
    });
  },
);
