import { model, type Client } from "aws-iot-device-sdk-v2/dist/greengrasscoreipc.js";
import { expect } from "vitest";
import { until } from "../../../simulator/core-device/testing/process-rig.ts";
import { listening } from "./client.ts";
import { text, type Exercises } from "./device-of-callers.ts";

/** Messages between components, and to and from IoT Core. */
export const messaging: Exercises = {
  async PublishToTopic({ caller, stranger, code }) {
    const publish = (client: Client, topic: string): Promise<string> =>
      code(
        "PublishToTopic",
        client.publishToTopic({ topic, publishMessage: { jsonMessage: { message: {} } } }),
      );
    expect(await publish(stranger, "a")).toBe("UnauthorizedError");
    // The nucleus gives an error that is not of this operation.
    expect(await publish(caller, "a/#")).toBe("no modelled error");
  },
  async SubscribeToTopic({ caller, code }) {
    const stream = await listening(
      caller.subscribeToTopic({ topic: "a/+", receiveMode: model.ReceiveMode.RECEIVE_ALL_MESSAGES }),
    );
    await caller.publishToTopic({ topic: "a/b", publishMessage: { jsonMessage: { message: { n: 1 } } } });
    await caller.publishToTopic({ topic: "a/c", publishMessage: { binaryMessage: { message: "hello" } } });
    await until("both are heard", async () => stream.heard.length > 1);
    expect(stream.heard[0]?.jsonMessage).toEqual({ message: { n: 1 }, context: { topic: "a/b" } });
    expect(text(stream.heard[1]?.binaryMessage?.message)).toBe("hello");
    await stream.close();
    expect(await code("SubscribeToTopic", caller.subscribeToTopic({ topic: "" }).activate())).toBe(
      "InvalidArgumentsError",
    );
  },
  async PublishToIoTCore({ caller, stranger, code }) {
    const stream = await listening(
      caller.subscribeToIoTCore({ topicName: "up/#", qos: model.QOS.AT_LEAST_ONCE }),
    );
    await caller.publishToIoTCore({
      topicName: "up/a",
      qos: model.QOS.AT_LEAST_ONCE,
      payload: "hello",
      payloadFormat: model.PayloadFormat.UTF8,
      userProperties: [{ key: "a", value: "1" }],
      messageExpiryIntervalSeconds: 600,
      correlationData: "corr",
      responseTopic: "down",
      // A nucleus does not pass it on.
      contentType: "text/plain",
    });
    await until("the message comes back", async () => stream.heard.length > 0);
    const { payload, correlationData, ...message } = stream.heard[0]?.message ?? { topicName: "" };
    expect([text(payload), text(correlationData)]).toEqual(["hello", "corr"]);
    expect(message).toEqual({
      topicName: "up/a",
      retain: false,
      payloadFormat: "1",
      userProperties: [{ key: "a", value: "1" }],
      messageExpiryIntervalSeconds: 600,
      responseTopic: "down",
    });
    await stream.close();
    const publish = (client: Client, topicName: string): Promise<string> =>
      code(
        "PublishToIoTCore",
        client.publishToIoTCore({ topicName, qos: model.QOS.AT_LEAST_ONCE, payload: "x" }),
      );
    expect(await publish(caller, "a/#")).toBe("ServiceError");
    expect(await publish(stranger, "a")).toBe("UnauthorizedError");
  },
  async SubscribeToIoTCore({ stranger, code }) {
    const stream = stranger.subscribeToIoTCore({ topicName: "a", qos: model.QOS.AT_LEAST_ONCE });
    expect(await code("SubscribeToIoTCore", stream.activate())).toBe("UnauthorizedError");
  },
};
