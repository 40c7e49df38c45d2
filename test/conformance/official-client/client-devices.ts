import { model } from "aws-iot-device-sdk-v2/dist/greengrasscoreipc.js";
import type { OperationName } from "@coalmine/ipc";
import { expect } from "vitest";
import { refusalOf } from "./client.ts";
import { type Exercises } from "./device-of-callers.ts";

const unsupported = async (operation: OperationName, answer: Promise<unknown>): Promise<void> => {
  expect(await refusalOf(answer)).toEqual({
    code: "ServiceError",
    message: `Operation aws.greengrass#${operation} is not supported by Greengrass`,
  });
};

/** What a nucleus without client devices refuses. */
export const clientDevices: Exercises = {
  AuthorizeClientDeviceAction: ({ caller }) =>
    unsupported(
      "AuthorizeClientDeviceAction",
      caller.authorizeClientDeviceAction({ clientDeviceAuthToken: "t", operation: "o", resource: "r" }),
    ),
  GetClientDeviceAuthToken: ({ caller }) =>
    unsupported(
      "GetClientDeviceAuthToken",
      caller.getClientDeviceAuthToken({ credential: { mqttCredential: { clientId: "c" } } }),
    ),
  async SubscribeToCertificateUpdates({ caller }) {
    const stream = caller.subscribeToCertificateUpdates({
      certificateOptions: { certificateType: model.CertificateType.SERVER },
    });
    await unsupported("SubscribeToCertificateUpdates", stream.activate());
  },
  VerifyClientDeviceIdentity: ({ caller }) =>
    unsupported(
      "VerifyClientDeviceIdentity",
      caller.verifyClientDeviceIdentity({ credential: { clientDeviceCertificate: "pem" } }),
    ),
};
