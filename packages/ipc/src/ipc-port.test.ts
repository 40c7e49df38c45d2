import { DrivenClock, silentLog } from "@coalmine/runtime";
import { expect, test } from "vitest";
import { ipcPort } from "./ipc-port.ts";
import { describeIpcPort } from "./port-suite.ts";
import { SmallService } from "./small-service.ts";

const clock = { now: () => 1_800_000_000_000 };

describeIpcPort("the hosted Ipc", async () => {
  const service = new SmallService();
  const failures: string[] = [];
  const process = { fail: (reason: string) => void failures.push(reason) };
  const port = (principal: string) => ipcPort(service, principal, { clock, log: silentLog, process });
  return { service, a: port("test.A"), b: port("test.B"), failures, close: async () => {} };
});

test("on a driven clock everything is delivered before the next event", async () => {
  const driven = new DrivenClock(1_800_000_000_000, () => new Promise<void>((done) => setImmediate(done)));
  const service = new SmallService();
  const context = { clock: driven, log: silentLog, process: { fail: () => {} } };
  const a = ipcPort(service, "test.A", context);
  const b = ipcPort(service, "test.B", context);
  const heard: string[] = [];
  await b.subscribe("t", () => heard.push(`heard ${driven.now()}`));
  driven.timer(10, () => void a.publish("t", { json: {} }));
  driven.timer(11, () => heard.push("next"));
  await driven.runUntil(driven.now() + 20);
  expect(heard).toEqual(["heard 1800000000010", "next"]);
});

test("a handler that throws fails its component and spares the others", async () => {
  const service = new SmallService();
  const failures: string[] = [];
  const context = {
    clock,
    log: silentLog,
    process: { fail: (reason: string) => void failures.push(reason) },
  };
  const port = ipcPort(service, "test.A", context);
  const heard: string[] = [];
  await port.subscribe("t", () => {
    throw new Error("handler broke");
  });
  await port.subscribe("t", () => heard.push("well"));
  await port.publish("t", { json: {} });
  await new Promise(setImmediate);
  expect(heard).toEqual(["well"]);
  expect(failures).toEqual([expect.stringContaining("handler broke")]);
});
