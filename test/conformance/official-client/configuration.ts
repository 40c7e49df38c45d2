import { model } from "aws-iot-device-sdk-v2/dist/greengrasscoreipc.js";
import { expect } from "vitest";
import { until } from "../../../simulator/core-device/testing/process-rig.ts";
import { listening } from "./client.ts";
import { CALLER, type Exercises } from "./device-of-callers.ts";

/** What a component is told and asked of its configuration and of updates. */
export const configuration: Exercises = {
  async GetConfiguration({ caller, stranger, code }) {
    expect((await stranger.getConfiguration({ componentName: CALLER, keyPath: ["rate"] })).value).toEqual({
      rate: 1,
    });
    expect(await code("GetConfiguration", caller.getConfiguration({ keyPath: ["none"] }))).toBe(
      "ResourceNotFoundError",
    );
  },
  async UpdateConfiguration({ caller, code }) {
    const update = (timestamp: Date, valueToMerge: object) =>
      caller.updateConfiguration({ keyPath: [], timestamp, valueToMerge });
    await update(new Date(), { updated: { deep: [1, null] } });
    expect((await caller.getConfiguration({ keyPath: ["updated"] })).value).toEqual({ deep: [1, null] });
    expect(await code("UpdateConfiguration", update(new Date(1), { updated: 2 }))).toBe(
      "FailedUpdateConditionCheckError",
    );
    expect(await code("UpdateConfiguration", update(new Date(), { accessControl: {} }))).toBe(
      "InvalidArgumentsError",
    );
  },
  async SubscribeToConfigurationUpdate({ caller, stranger, code }) {
    const stream = await listening(
      stranger.subscribeToConfigurationUpdate({ componentName: CALLER, keyPath: [] }),
    );
    await caller.updateConfiguration({ keyPath: [], timestamp: new Date(), valueToMerge: { heard: 1 } });
    await until("the change is told", async () => stream.heard.length > 0);
    expect(stream.heard[0]?.configurationUpdateEvent).toEqual({ componentName: CALLER, keyPath: ["heard"] });
    await stream.close();
    const nowhere = stranger.subscribeToConfigurationUpdate({ keyPath: ["none"] });
    expect(await code("SubscribeToConfigurationUpdate", nowhere.activate())).toBe("ResourceNotFoundError");
  },
  async SubscribeToValidateConfigurationUpdates({ stranger }) {
    await (await listening(stranger.subscribeToValidateConfigurationUpdates({}))).close();
  },
  async SendConfigurationValidityReport({ caller, code, deploy }) {
    const report = (deploymentId: string) =>
      caller.sendConfigurationValidityReport({
        configurationValidityReport: { status: model.ConfigurationValidityStatus.ACCEPTED, deploymentId },
      });
    expect(await code("SendConfigurationValidityReport", report("d"))).toBe("InvalidArgumentsError");
    const stream = await listening(caller.subscribeToValidateConfigurationUpdates({}));
    const done = deploy({
      [CALLER]: {
        componentVersion: "1.0.0",
        configurationUpdate: { merge: JSON.stringify({ validated: true }) },
      },
    });
    await until("the configuration is proposed", async () => stream.heard.length > 0);
    const event = stream.heard[0]?.validateConfigurationUpdateEvent;
    expect(event?.configuration).toMatchObject({ rate: 1, validated: true });
    await report(event?.deploymentId ?? "");
    await done;
    await stream.close();
  },
  async SubscribeToComponentUpdates({ caller, cli, code, deploy }) {
    const stream = await listening(caller.subscribeToComponentUpdates({}));
    const done = deploy();
    await until("the update is told of", async () => stream.heard.length > 0);
    const deploymentId = stream.heard[0]?.preUpdateEvent?.deploymentId ?? "";
    await caller.deferComponentUpdate({ deploymentId, recheckAfterMs: 0 });
    await done;
    await until("its end is told", async () => stream.heard.length > 1);
    expect(stream.heard).toMatchObject([
      { preUpdateEvent: { deploymentId, isGgcRestarting: false } },
      { postUpdateEvent: { deploymentId } },
    ]);
    await stream.close();
    expect(await code("SubscribeToComponentUpdates", cli.subscribeToComponentUpdates({}).activate())).toBe(
      "ResourceNotFoundError",
    );
  },
  async DeferComponentUpdate({ caller, stranger, code, deploy }) {
    expect(await code("DeferComponentUpdate", stranger.deferComponentUpdate({ deploymentId: "d" }))).toBe(
      "InvalidArgumentsError",
    );
    const updates = await listening(caller.subscribeToComponentUpdates({}));
    const done = deploy();
    await until("the update is told of", async () => updates.heard.length > 0);
    const deploymentId = updates.heard[0]?.preUpdateEvent?.deploymentId ?? "";
    await caller.deferComponentUpdate({ deploymentId, recheckAfterMs: 1 });
    await until("it is told of again", async () => updates.heard.length > 1);
    await caller.deferComponentUpdate({ deploymentId, recheckAfterMs: 0 });
    await done;
    expect(
      await code("DeferComponentUpdate", caller.deferComponentUpdate({ deploymentId, recheckAfterMs: 0 })),
    ).toBe("ServiceError");
    await updates.close();
  },
};
