import { topics } from "@coalmine/contract";
import { InstrumentAnswer } from "@coalmine/instrument/instrument-request";
import { expect, test } from "vitest";
import { glycerolWaterViscosity } from "../../../simulator/instruments/control-fluid.ts";
import { simulatedSite } from "../../../simulator/instruments/site.ts";
import { compare, minutes, world } from "../test/world.ts";

const reference = {
  name: "G65",
  lot: "4711",
  certificate: "C-1",
  expiresMs: Date.UTC(2027, 0, 1),
  viscosity: [30, 32, 34, 36, 38, 40].map((at) => [at, glycerolWaterViscosity(0.65, at)]),
  expandedUncertainty: 0.004,
};

/** A reader with two instruments, and somebody who asks over the topics. */
async function asked() {
  const w = world(simulatedSite({ instruments: 2 }), {});
  const answers: InstrumentAnswer[] = [];
  await w.ipc.subscribe(topics.instrumentAnswers, (_topic, message) => {
    answers.push(InstrumentAnswer.parse("json" in message ? message.json : undefined));
  });
  let count = 0;
  const ask = async (request: object, durationMs = minutes(1)) => {
    const id = `request-${++count}`;
    await w.ipc.publish(topics.instrumentRequests, { json: { version: 1, id, ...request } });
    await w.run(durationMs);
    return answers.filter((answer) => answer.id === id);
  };
  for (const instrument of w.instruments) instrument.start();
  return { ...w, ask };
}

test("a self-test over the topics says the same as commissioning's, and costs no reading; while a curve is measured it is refused", async () => {
  const w = await asked();
  await w.startReader();
  // The first curve begins after a second.
  await w.run(4000);
  expect(await w.ask({ kind: "self-test", port: "rheo-0" })).toMatchObject([
    {
      kind: "refused",
      because: expect.stringMatching(/a flow curve is being measured on rheo-0: ask again/),
    },
  ]);
  expect(await w.ask({ kind: "self-test", port: "rheo-0" })).toMatchObject([
    { kind: "self-test", outcomes: [{ found: true, passed: true, instrument: "rheo-0", firmware: "1.4.2" }] },
  ]);
  expect(await w.ask({ kind: "self-test", port: "rheo-7" })).toMatchObject([
    {
      kind: "refused",
      because: expect.stringMatching(/rheo-7 is no port that is read; these are: rheo-0, rheo-1/),
    },
  ]);
  const crowd = await Promise.all(
    Array.from({ length: 12 }, () => w.ask({ kind: "calibration-history", instrument: "rheo-0" }, 1000)),
  );
  expect(crowd.flat().filter(({ kind }) => kind === "refused")).toHaveLength(4);
  await w.run(minutes(30));
  for (const instrument of w.instruments) instrument.rest();
  await w.run(minutes(10));
  expect(compare(w.ledger, w.uploader.durable)).toEqual({ lost: [], invented: [] });
});

test("a calibration is guided step by step, is its instrument's alone, stays over a restart, and is undone; its history is kept", async () => {
  const w = await asked();
  let reader = await w.startReader();
  const [first] = w.rheometers;
  if (first !== undefined) first.gainFault = 1.02;
  await w.run(minutes(2));
  const port = "rheo-0";
  expect(await w.ask({ kind: "calibration-accept", port, by: "t" })).toMatchObject([
    { kind: "refused", because: expect.stringMatching(/no calibration runs on rheo-0/) },
  ]);
  expect(await w.ask({ kind: "calibration-begin", port, reference }, 5000)).toMatchObject([
    { kind: "calibration", step: "flush", instrument: "rheo-0" },
  ]);
  expect(await w.ask({ kind: "calibration-done", port }, 5000)).toMatchObject([{ step: "fill" }]);
  expect(await w.ask({ kind: "calibration-done", port }, 30_000)).toMatchObject([
    { step: "settle" },
    { step: "measure" },
    { step: "decide", found: { meanTemperature: expect.closeTo(37, 0), deviation: expect.closeTo(0.02, 1) } },
  ]);
  expect(await w.ask({ kind: "calibration-done", port }, 1000)).toMatchObject([
    { kind: "refused", because: expect.stringMatching(/is at the step "decide"/) },
  ]);
  expect(await w.ask({ kind: "calibration-accept", port, by: "a technician" }, 1000)).toMatchObject([
    { step: "written" },
  ]);
  const idsOf = (instrument: string, sinceMs: number) => [
    ...new Set(
      [...w.uploader.durable.values()]
        .filter((point) => point.instrument === instrument && point.sampleTimeMs > sinceMs)
        .map(({ calibrationId }) => calibrationId),
    ),
  ];
  reader.kill();
  const restartedMs = w.clock.now();
  reader = await w.startReader();
  await w.run(minutes(12));
  expect(idsOf("rheo-0", restartedMs)).toEqual(["rheo-0-1-2026-01-05"]);
  expect(idsOf("rheo-1", restartedMs)).toEqual(["factory-1"]);

  const [undone] = await w.ask({ kind: "calibration-undo", instrument: "rheo-0", by: "another" }, 1000);
  expect(undone).toMatchObject({
    kind: "calibration-history",
    records: [
      {
        version: 1,
        by: "a technician",
        made: { how: "measured", reference: { lot: "4711" }, readings: 100 },
      },
      { version: 2, by: "another", curve: { id: "factory-1" }, made: { how: "undone" } },
    ],
  });
  const undoneMs = w.clock.now();
  await w.run(minutes(12));
  expect(idsOf("rheo-0", undoneMs)).toEqual(["factory-1"]);
  expect(await w.ask({ kind: "calibration-undo", instrument: "rheo-1", by: "x" }, 1000)).toMatchObject([
    { kind: "refused", because: expect.stringMatching(/rheo-1 was never calibrated here/) },
  ]);
});

test("an expired bottle, and an instrument that is unplugged while it is measured, are refused; the step can be done again", async () => {
  const w = await asked();
  await w.startReader();
  await w.run(minutes(2));
  const port = "rheo-1";
  const expired = { ...reference, expiresMs: 0 };
  expect(await w.ask({ kind: "calibration-begin", port, reference: expired }, 5000)).toMatchObject([
    { step: "refused", text: expect.stringMatching(/lot 4711 of G65 expired/) },
  ]);
  await w.ask({ kind: "calibration-begin", port, reference }, 5000);
  await w.ask({ kind: "calibration-done", port }, 1000);
  w.clock.timer(2500, () => w.links.unplug(port));
  expect(await w.ask({ kind: "calibration-done", port }, 30_000)).toMatchObject([
    { step: "settle" },
    { kind: "refused", because: expect.stringMatching(/unplugged/) },
  ]);
  w.links.plug(port);
  await w.run(20_000);
  expect((await w.ask({ kind: "calibration-done", port }, 30_000)).at(-1)).toMatchObject({ step: "decide" });
  expect(await w.ask({ kind: "calibration-leave", port }, 1000)).toMatchObject([{ kind: "refused" }]);
});
