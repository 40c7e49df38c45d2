import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Ipc, IpcErrorCode } from "@coalmine/ports";
import type { SmallService } from "./small-service.ts";

/** Two components, `test.A` and `test.B`, of one device. `failures` is what `process.fail` was told for A. */
export interface PortFixture {
  readonly service: SmallService;
  readonly a: Ipc;
  readonly b: Ipc;
  readonly failures: readonly string[];
  close(): Promise<void>;
}

/** What every implementation of the ports' `Ipc` does, whatever carries it. */
export function describeIpcPort(name: string, open: () => Promise<PortFixture>): void {
  describe(name, () => {
    let fixture: PortFixture;
    beforeEach(async () => {
      fixture = await open();
    });
    afterEach(async () => {
      await fixture.close();
    });

    test("a message published to a topic reaches its subscribers, in order, as it was", async () => {
      const heard: unknown[] = [];
      await fixture.b.subscribe("plant/+/flow", (topic, message) => heard.push({ topic, message }));
      for (let index = 0; index < 50; index++)
        await fixture.a.publish(`plant/${index}/flow`, { json: { index, text: "größer", none: null } });
      await vi.waitFor(() => expect(heard).toHaveLength(50));
      expect(heard).toEqual(
        Array.from({ length: 50 }, (_, index) => ({
          topic: `plant/${index}/flow`,
          message: { json: { index, text: "größer", none: null } },
        })),
      );
    });

    test("messages published without waiting keep their order", async () => {
      const heard: unknown[] = [];
      await fixture.b.subscribe("burst", (_topic, message) =>
        heard.push("json" in message && message.json["n"]),
      );
      await Promise.all(Array.from({ length: 200 }, (_, n) => fixture.a.publish("burst", { json: { n } })));
      await vi.waitFor(() => expect(heard).toHaveLength(200));
      expect(heard).toEqual(Array.from({ length: 200 }, (_, n) => n));
    });

    test("bytes on a local topic arrive as the same bytes", async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      const heard: unknown[] = [];
      await fixture.b.subscribe("bytes", (_topic, message) =>
        heard.push("binary" in message ? [...message.binary] : message),
      );
      await fixture.a.publish("bytes", { binary: bytes });
      await vi.waitFor(() => expect(heard).toEqual([[...bytes]]));
    });

    test("a publisher that changes its object afterwards does not change what was published", async () => {
      const heard: unknown[] = [];
      await fixture.b.subscribe("later", (_topic, message) => heard.push(message));
      const json = { list: [1] };
      const sent = fixture.a.publish("later", { json });
      json.list.push(2);
      await sent;
      await vi.waitFor(() => expect(heard).toEqual([{ json: { list: [1] } }]));
    });

    test("the receive mode decides whether a component hears itself", async () => {
      const heard: string[] = [];
      await fixture.a.subscribe("self", () => heard.push("all"));
      await fixture.a.subscribe("self", () => heard.push("others"), {
        receiveMode: "RECEIVE_MESSAGES_FROM_OTHERS",
      });
      await fixture.a.publish("self", { json: {} });
      await fixture.b.publish("self", { json: {} });
      await vi.waitFor(() => expect(heard.toSorted()).toEqual(["all", "all", "others"]));
    });

    test("a closed subscription hears nothing more, and the device knows", async () => {
      const heard: unknown[] = [];
      const subscription = await fixture.b.subscribe("closing", () => heard.push("b"));
      await fixture.a.subscribe("closing", () => heard.push("a"));
      await subscription.close();
      await vi.waitFor(() => expect(fixture.service.subscriptions("SubscribeToTopic")).toBe(1));
      await fixture.a.publish("closing", { json: {} });
      await vi.waitFor(() => expect(heard).toEqual(["a"]));
    });

    test("messages go to IoT Core and come from it", async () => {
      const heard: unknown[] = [];
      await fixture.a.subscribeToIotCore("coalmine/+/heartbeat", 1, ({ topic, payload }) =>
        heard.push([topic, ...payload]),
      );
      await fixture.a.publishToIotCore("coalmine/t/heartbeat", 1, Uint8Array.of(0, 255));
      await vi.waitFor(() => expect(heard).toEqual([["coalmine/t/heartbeat", 0, 255]]));
      expect(fixture.service.published).toEqual([
        { topic: "coalmine/t/heartbeat", qos: "1", payload: "AP8=" },
      ]);
    });

    test("configuration is read by value, leaf or container, also where a container looks like a leaf", async () => {
      fixture.service.configurations.set("test.A", {
        rate: 5,
        list: [1, { a: null }],
        deep: { same: { same: { same: 7 } } },
      });
      expect(await fixture.a.getConfiguration([])).toMatchObject({ rate: 5 });
      expect(await fixture.a.getConfiguration(["rate"])).toBe(5);
      expect(await fixture.a.getConfiguration(["list"])).toEqual([1, { a: null }]);
      expect(await fixture.a.getConfiguration(["deep", "same"])).toEqual({ same: { same: 7 } });
      expect(await fixture.a.getConfiguration(["deep", "same", "same"])).toEqual({ same: 7 });
      expect(await fixture.a.getConfiguration(["deep", "same", "same", "same"])).toBe(7);
      expect(await fixture.b.getConfiguration(["rate"], "test.A")).toBe(5);
      expect(await codeOf(fixture.a.getConfiguration(["none"]))).toBe("ResourceNotFoundError");
    });

    test("an update merges into the configuration and tells where", async () => {
      fixture.service.configurations.set("test.A", { keep: 1 });
      const changed: unknown[] = [];
      await fixture.a.subscribeToConfigurationUpdate([], (keyPath) => changed.push(keyPath));
      await fixture.a.updateConfiguration(["calibration"], { id: "c-7" });
      await vi.waitFor(() => expect(changed).toEqual([["calibration", "id"]]));
      expect(await fixture.a.getConfiguration([])).toEqual({ keep: 1, calibration: { id: "c-7" } });
    });

    test("a proposed configuration is accepted or refused by the component", async () => {
      await fixture.a.subscribeToValidateConfigurationUpdates(async (configuration) => {
        if (configuration["rate"] === "boom") throw new Error("no such rate");
        return configuration["rate"] === 5
          ? { status: "ACCEPTED" }
          : { status: "REJECTED", message: "not 5" };
      });
      for (const [index, rate] of [5, 6, "boom"].entries())
        fixture.service.tell("SubscribeToValidateConfigurationUpdates", "ValidateConfigurationUpdateEvents", {
          validateConfigurationUpdateEvent: { configuration: { rate }, deploymentId: `d${index}` },
        });
      await vi.waitFor(() => expect(fixture.service.answers).toHaveLength(3));
      const reports = fixture.service.answers.map((answer) => answer["configurationValidityReport"]);
      expect(reports).toContainEqual({ status: "ACCEPTED", deploymentId: "d0" });
      expect(reports).toContainEqual({ status: "REJECTED", message: "not 5", deploymentId: "d1" });
      expect(reports).toContainEqual(expect.objectContaining({ status: "REJECTED", deploymentId: "d2" }));
    });

    test("a component asks an update to wait, and hears when it is over", async () => {
      let after = 0;
      await fixture.a.subscribeToComponentUpdates({ before: async () => 250, after: () => after++ });
      fixture.service.tell("SubscribeToComponentUpdates", "ComponentUpdatePolicyEvents", {
        preUpdateEvent: { deploymentId: "d", isGgcRestarting: false },
      });
      fixture.service.tell("SubscribeToComponentUpdates", "ComponentUpdatePolicyEvents", {
        postUpdateEvent: { deploymentId: "d" },
      });
      await vi.waitFor(() => expect(after).toBe(1));
      await vi.waitFor(() =>
        expect(fixture.service.answers).toEqual([{ deploymentId: "d", recheckAfterMs: 250 }]),
      );
    });

    test("state, secrets and shadows", async () => {
      await fixture.a.updateState("RUNNING");
      expect(fixture.service.states.get("test.A")).toBe("RUNNING");
      expect(await fixture.a.getSecretValue("key")).toEqual({ secretString: "of key" });
      expect((await fixture.a.getSecretValue("bytes")).secretBinary).toEqual(Uint8Array.of(0, 255));
      expect(await codeOf(fixture.a.getThingShadow("t", "s"))).toBe("ResourceNotFoundError");
      const document = new TextEncoder().encode('{"state":{}}');
      expect(await fixture.a.updateThingShadow("t", "s", document)).toEqual(document);
      expect(await fixture.a.getThingShadow("t", "s")).toEqual(document);
    });

    test("refusals carry the model's code, and one outside the operation's list is a ServiceError", async () => {
      expect(await codeOf(fixture.a.publish("denied/x", { json: {} }))).toBe("UnauthorizedError");
      expect(await codeOf(fixture.a.publish("broken", { json: {} }))).toBe("ServiceError");
      expect(await codeOf(fixture.a.publish("a/#", { json: {} }))).toBe("ServiceError");
      expect(await codeOf(fixture.a.subscribe("", () => {}))).toBe("InvalidArgumentsError");
      await expect(fixture.a.publish("denied/x", { json: {} })).rejects.toThrow("no denied/x for you");
    });

    test("a subscription that the device ends fails the component, one that it closed does not", async () => {
      const closed = await fixture.a.subscribe("one", () => {});
      await closed.close();
      await fixture.a.subscribe("two", () => {});
      await vi.waitFor(() => expect(fixture.service.subscriptions("SubscribeToTopic")).toBe(1));
      fixture.service.hangUp("SubscribeToTopic");
      await vi.waitFor(() => expect(fixture.failures).toHaveLength(1));
      expect(fixture.failures[0]).toContain("SubscribeToTopic");
    });
  });
}

async function codeOf(refused: Promise<unknown>): Promise<IpcErrorCode | "no error"> {
  try {
    await refused;
    return "no error";
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === "IpcError" && "code" in thrown)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the test compares it with the code it expects
      return thrown.code as IpcErrorCode;
    throw thrown;
  }
}
