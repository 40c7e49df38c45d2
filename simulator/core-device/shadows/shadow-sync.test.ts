import type { JsonObject } from "@coalmine/ports";
import { SeededRandom, silentLog } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { linkPair } from "../../cloud/broker/link-pair.ts";
import { iotRig } from "../../cloud/iot/iot-rig.ts";
import { spoolDefaults } from "../cloud/spool-settings.ts";
import { CloudSession } from "../cloud/session.ts";
import { ConfigurationTree } from "../configuration/tree.ts";
import { HostedMqttLink } from "../hosted/mqtt-link.ts";
import { LocalTopics } from "../ipc/local-topics.ts";
import { memoryRoot } from "../testing/memory-root.ts";
import { ShadowManager } from "./shadow-manager.ts";
import { ShadowStore } from "./shadow-store.ts";
import { ShadowSync } from "./shadow-sync.ts";

const id = { thingName: "core", shadowName: "s" };
const free = () => undefined;

/** A device's shadows beside the real broker and shadow service of the local cloud. */
async function pair(synchronize: JsonObject = {}, strategy: JsonObject = { type: "realTime" }) {
  const rig = await iotRig();
  const certificateId = await rig.device("core");
  const { clock } = rig;
  const network = { isUp: true };
  let ours: { close(): Promise<void> } | undefined;
  const random = new SeededRandom("sync");
  const link = new HostedMqttLink({
    clientId: "core",
    clock,
    random,
    open: async () => {
      if (!network.isUp) throw new Error("no network");
      const [near, far] = linkPair();
      rig.parts.broker.accept(far, { certificateId, thingName: "core", kind: "in-process" });
      ours = near;
      return near;
    },
  });
  const session = new CloudSession({ link, clock, random, log: silentLog, spool: () => spoolDefaults });
  const tree = new ConfigurationTree();
  const configuration = {
    synchronize: { coreThing: { classic: false, namedShadows: ["s"] }, ...synchronize },
    strategy,
  };
  tree.merge(["services", "aws.greengrass.ShadowManager", "configuration"], configuration, 1);
  const topics = new LocalTopics();
  const store = new ShadowStore(memoryRoot(clock), silentLog);
  const shadows = new ShadowManager({ clock, log: silentLog, tree, topics, store });
  const sync = new ShadowSync({
    thingName: "core",
    clock,
    random,
    log: silentLog,
    tree,
    session,
    store,
    shadows,
  });
  const run = (ms: number) => clock.runUntil(clock.now() + ms);
  await shadows.start();
  await sync.start();
  session.start();
  await run(100);
  const stateIn = (answer: JsonObject | undefined) => {
    const { delta: _, ...state } = (answer?.["state"] ?? {}) as JsonObject;
    return answer === undefined ? undefined : state;
  };
  return {
    run,
    tree,
    here: async (state: JsonObject) => {
      await shadows.update(id, Buffer.from(JSON.stringify({ state })), free);
      await run(1000);
    },
    there: async (state: JsonObject) => {
      rig.parts.shadows.update(id, Buffer.from(JSON.stringify({ state })));
      await run(1000);
    },
    deleteHere: () => shadows.delete(id, free),
    deleteThere: () => rig.parts.shadows.delete(id),
    both: async () => {
      const local = await shadows.get(id, free).catch(() => undefined);
      const exists = rig.parts.shadows.namesOf("core").includes("s");
      return [stateIn(local), stateIn(exists ? rig.parts.shadows.get(id) : undefined)];
    },
    disconnect: async () => {
      network.isUp = false;
      await ours?.close();
      await run(100);
    },
    connect: async () => {
      network.isUp = true;
      await run(300_000);
    },
  };
}

test("a change on either side reaches the other, and stands still then [core-device-8.29]", async () => {
  const it = await pair();
  await it.here({ reported: { level: 3 } });
  expect(await it.both()).toEqual([{ reported: { level: 3 } }, { reported: { level: 3 } }]);
  await it.there({ desired: { level: 4, light: { on: true } } });
  const both = { desired: { level: 4, light: { on: true } }, reported: { level: 3 } };
  expect(await it.both()).toEqual([both, both]);
  await it.here({ desired: { light: null } });
  const after = { desired: { level: 4 }, reported: { level: 3 } };
  expect(await it.both()).toEqual([after, after]);
});

test("what changed on both sides without a network is merged: desired by the cloud, reported by the device [core-device-8.29]", async () => {
  const it = await pair();
  await it.here({ desired: { a: 1, b: 1 }, reported: { a: 1, b: 1 } });
  await it.disconnect();
  await it.here({ desired: { a: 2, only: "here" }, reported: { a: 2 } });
  await it.there({ desired: { a: 3, b: null }, reported: { a: 3, only: "there" } });
  await it.connect();
  const merged = {
    desired: { a: 3, only: "here" },
    reported: { a: 2, b: 1, only: "there" },
  };
  expect(await it.both()).toEqual([merged, merged]);
});

test("a shadow deleted on one side is deleted on the other, unless it changed there meanwhile [core-device-8.30]", async () => {
  const it = await pair();
  await it.here({ reported: { a: 1 } });
  it.deleteThere();
  await it.run(1000);
  expect(await it.both()).toEqual([undefined, undefined]);
  await it.here({ reported: { a: 2 } });
  await it.deleteHere();
  await it.run(1000);
  expect(await it.both()).toEqual([undefined, undefined]);
  await it.here({ reported: { a: 3 } });
  await it.disconnect();
  it.deleteThere();
  await it.here({ reported: { a: 4 } });
  await it.connect();
  expect(await it.both()).toEqual([{ reported: { a: 4 } }, { reported: { a: 4 } }]);
});

test("with one direction the other side has no say [core-device-8.31]", async () => {
  const up = await pair({ direction: "deviceToCloud" });
  await up.here({ reported: { a: 1 } });
  await up.there({ reported: { a: 2 }, desired: { b: 1 } });
  expect(await up.both()).toEqual([{ reported: { a: 1 } }, { reported: { a: 1 } }]);
  const down = await pair({ direction: "cloudToDevice" });
  await down.there({ desired: { a: 1 } });
  await down.here({ desired: { a: 2 } });
  expect(await down.both()).toEqual([{ desired: { a: 1 } }, { desired: { a: 1 } }]);
});

test("with a period nothing goes before its time, and a shadow that is not listed goes nowhere [core-device-8.31]", async () => {
  const it = await pair({}, { type: "periodic", delay: 60 });
  await it.here({ reported: { a: 1 } });
  expect(await it.both()).toEqual([{ reported: { a: 1 } }, undefined]);
  await it.run(60_000);
  expect(await it.both()).toEqual([{ reported: { a: 1 } }, { reported: { a: 1 } }]);
  const configuration = ["services", "aws.greengrass.ShadowManager", "configuration"];
  it.tree.merge([...configuration, "synchronize", "coreThing", "namedShadows"], [], 2);
  it.tree.merge([...configuration, "strategy", "type"], "realTime", 2);
  await it.here({ reported: { a: 2 } });
  expect(await it.both()).toEqual([{ reported: { a: 2 } }, { reported: { a: 1 } }]);
});
