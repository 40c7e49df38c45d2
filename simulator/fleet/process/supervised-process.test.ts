import type { Clock } from "@coalmine/ports";
import { systemClock } from "@coalmine/runtime/system-clock";
import { afterEach, expect, test } from "vitest";
import { memoryOfTree, startedWith, treeOf } from "./process-tree.ts";
import { MARK, type ProcessEvent, SupervisedProcess } from "./supervised-process.ts";

const running: SupervisedProcess[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.cutPower();
});

let made = 0;
function supervise(script: string, clock: Clock = systemClock) {
  const mark = `supervised-test-${process.pid}-${++made}`;
  const events: ProcessEvent[] = [];
  const supervised = new SupervisedProcess({
    name: "it",
    command: ["sh", "-c", script],
    environment: { PATH: "/usr/bin:/bin" },
    mark,
    isReady: (line) => line === "ready",
    clock,
    report: (event) => events.push(event),
  });
  running.push(supervised);
  const heard = async (kind: ProcessEvent["kind"], times = 1) => {
    await expect
      .poll(() => events.filter((event) => event.kind === kind).length, { timeout: 10_000 })
      .toBe(times);
  };
  return { supervised, events, heard, left: () => startedWith(MARK, mark) };
}
/** One that starts a child of its own session, as a core device does with components. */
const withGrandchild = "setsid sleep 1000 & echo ready; wait";

test("a stop leaves nothing, not even what a process started in a session of its own", async () => {
  const { supervised, events, left } = supervise(withGrandchild);
  await supervised.start();
  await expect.poll(async () => (await left()).length).toBe(2);
  await supervised.stop();
  expect(await left()).toEqual([]);
  expect(events.map(({ kind }) => kind)).toEqual(["started", "killed-hard"]);
});

test("after a crash what was left behind is killed first, then it is started again", async () => {
  const { supervised, heard, left } = supervise(withGrandchild);
  await supervised.start();
  await expect.poll(async () => (await left()).length).toBe(2);
  const before = await left();
  supervised.crash();
  await heard("started", 2);
  await expect.poll(async () => (await left()).length).toBe(2);
  expect((await left()).filter((pid) => before.includes(pid))).toEqual([]);
});

test("waits between restarts double, and after five it is given up", async () => {
  const { supervised, events, heard, left } = supervise("echo ready; sleep 0.05; exit 3");
  await supervised.start();
  await heard("gave-up");
  expect(events.flatMap((event) => (event.kind === "restarting" ? [event.inMs] : []))).toEqual([
    100, 200, 400, 800, 1600,
  ]);
  expect(events).toContainEqual(expect.objectContaining({ kind: "crashed", how: "exit code 3" }));
  expect([supervised.gaveUp, await left()]).toEqual([true, []]);
}, 20_000);

test("a power cut ends everything at once, and it stays away until it is started", async () => {
  const { supervised, events, left } = supervise(withGrandchild);
  await supervised.start();
  await supervised.cutPower();
  expect(await left()).toEqual([]);
  await systemClock.sleep(300);
  expect(events.filter(({ kind }) => kind === "started")).toHaveLength(1);
  await supervised.start();
  await expect.poll(async () => (await left()).length).toBe(2);
});

test("one that does not heed SIGTERM is killed when its time is over", async () => {
  // A hundred times faster, so that nobody waits three quarters of a minute.
  const quick: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 100, signal) };
  const { supervised, left } = supervise("trap '' TERM; echo ready; while true; do sleep 0.1; done", quick);
  await supervised.start();
  await supervised.stop();
  expect(await left()).toEqual([]);
});

test("one that ends before it is up is told with its last lines", async () => {
  const { supervised, left } = supervise("echo 'no configuration' >&2; exit 2");
  await expect(supervised.start()).rejects.toThrow(
    /it ended at once, with exit code 2; its last lines: no configuration/,
  );
  expect(await left()).toEqual([]);
});

test("memory is summed over the whole tree", async () => {
  const { supervised } = supervise("sleep 1000 & echo ready; wait");
  await supervised.start();
  const { pid } = supervised;
  if (pid === undefined) throw new Error("it does not run");
  await expect.poll(async () => (await treeOf(pid)).length).toBe(2);
  const { processes, pssBytes } = await memoryOfTree(pid);
  expect(processes).toBe(2);
  expect(pssBytes).toBeGreaterThan(100 * 1024);
  expect(await memoryOfTree(2 ** 22)).toEqual({ processes: 0, pssBytes: 0 });
});
