import { atMost, type Bench, inTurn, median, type Metrics, ratio } from "../measure.ts";
import { artifactBytes } from "./artifact.ts";
import { engine, manifest, windowOf } from "../../components/inference/test/engine.fixture.ts";
import { bareRun } from "./bare-run.ts";
import { ringRoundTrip, spacedP99s } from "./ring-round-trip.ts";
import { swapStall } from "./swap-stall.ts";

const ROUNDS = 9;
const RUNS = 1500;
/** About as long as a bare run of one window. */
const RUN_US = 50;
/** Of the windows that come apart, to each of those that are compared. */
const SPACED = 6000;
const BATCH = 64;
const BATCHES = 300;

/** What the component adds to a model run: in one thread and bare on one side, through its worker on the other. */
export const bench: Bench = async (say) => {
  const quiet = await engine();
  try {
    const bare = await bareRuns();
    say("a window at a time, and 64 at a time, bare and through the component");
    for (const warm of [bare.one, bare.batch, () => oneByOne(quiet), () => inBatches(quiet)]) await warm();
    const figures = await inTurn(
      {
        bareUs: bare.one,
        pathUs: () => oneByOne(quiet),
        bareBatchUs: bare.batch,
        pathBatchUs: () => inBatches(quiet),
        ringUs: () => ringRoundTrip(manifest.input.width, { busyMs: 0 }),
        // While the thread works this one falls asleep, and is slower to wake.
        handOverUs: async () =>
          (await ringRoundTrip(manifest.input.width, { busyMs: RUN_US / 1000 })) - RUN_US,
        // The limit: whoever runs the model beside its loop, and does nothing else, takes this long.
        threadUs: () => ringRoundTrip(manifest.input.width, "model"),
      },
      ROUNDS,
    );
    const overhead = median(figures.pathUs.map((us, round) => us - (figures.bareUs[round] ?? 0)));
    const limit = median(figures.threadUs.map((us, round) => us - (figures.bareUs[round] ?? 0)));
    const batchOverhead = median(
      figures.pathBatchUs.map((us, round) => us - (figures.bareBatchUs[round] ?? 0)),
    );
    say("beside a shadow");
    const shadow = await besideShadow();
    say("swaps under 1,000 windows a second");
    const stall = await swapStall(20);
    const sizeBytes = await artifactBytes();
    const metrics: Metrics = {
      bareRun: { value: median(figures.bareUs), unit: "µs/window" },
      path: { value: median(figures.pathUs), unit: "µs/window" },
      overhead: atMost(overhead, "µs/window", 70),
      // What a bare run in a thread of its own takes more, and two threads to wake each other, in the same rounds.
      bareThreadOverhead: { value: limit, unit: "µs/window" },
      threadRoundTrip: { value: median(figures.ringUs), unit: "µs" },
      threadHandOver: { value: median(figures.handOverUs), unit: "µs" },
      overheadBeyondBareThread: { value: overhead - limit, unit: "µs/window" },
      bareRunOf64: { value: median(figures.bareBatchUs), unit: "µs/window" },
      pathOf64: { value: median(figures.pathBatchUs), unit: "µs/window" },
      overheadOf64: { value: batchOverhead, unit: "µs/window" },
      overheadOf64PerBareRun: atMost(batchOverhead / median(figures.bareUs), "of a window's bare run", 0.1),
      overheadOf64PerBareRunOf64: {
        value: ratio(figures.pathBatchUs, figures.bareBatchUs) - 1,
        unit: "of a window's share of a bare run of 64",
      },
      ...shadow,
      ...stall,
      artifact: atMost(sizeBytes / 1e6, "MB zipped, without a model", 30),
    };
    return metrics;
  } finally {
    await quiet.close();
  }
};

type Engine = Awaited<ReturnType<typeof engine>>;

async function bareRuns() {
  const of = async (rows: number, runs: number): Promise<number> => {
    const run = await bareRun(rows);
    const times: number[] = [];
    for (let at = 0; at < runs; at++) {
      const startedMs = performance.now();
      await run();
      times.push(performance.now() - startedMs);
    }
    return (1000 * median(times)) / rows;
  };
  return { one: () => of(1, RUNS), batch: () => of(BATCH, BATCHES) };
}

let sequence = 0;

/** From a window that is ready to its result on this thread, the next only then: µs, median. */
async function oneByOne({ inference, results }: Engine, runs = RUNS): Promise<number> {
  return 1000 * median(await latencies({ inference, results }, runs));
}

async function latencies({ inference, results }: Pick<Engine, "inference" | "results">, runs: number) {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const window = windowOf(sequence++);
    await new Promise<void>((resolve) => {
      const startedMs = performance.now();
      results(() => {
        times.push(performance.now() - startedMs);
        resolve();
      });
      inference.takeWindow(window);
    });
  }
  return times;
}

/** As many windows as fill batch after batch: µs a window. */
async function inBatches({ inference, results }: Engine): Promise<number> {
  const windows = Array.from({ length: BATCH * BATCHES }, () => windowOf(sequence++));
  const startedMs = performance.now();
  await new Promise<void>((resolve) => {
    let left = windows.length;
    results(() => --left === 0 && resolve());
    // Whatever waits is enough for the two batches under way, and no more is made to wait.
    let next = 0;
    const feed = (): void => {
      for (const until = next + 4 * BATCH; next < until && next < windows.length; next++) {
        const window = windows[next];
        if (window !== undefined) inference.takeWindow(window);
      }
      if (next < windows.length) setImmediate(feed);
    };
    feed();
  });
  return (1000 * (performance.now() - startedMs)) / windows.length;
}

async function besideShadow(): Promise<Metrics> {
  const engines = [await engine(), await engine(), await engine()] as const;
  const [quiet, shadowed, twin] = engines;
  shadowed.configure({ shadow: await shadowed.place("1.0.1") });
  let shadows = 0;
  await shadowed.shadowResults(() => shadows++);
  while (shadows < RUNS) await oneByOne(shadowed, BATCH);
  await oneByOne(quiet);
  await oneByOne(twin);
  const [alone = Number.NaN, beside = Number.NaN, again = Number.NaN] = await spacedP99s(
    engines.map((of) => async () => (await latencies(of, 1))[0] ?? Number.NaN),
    SPACED,
  );
  for (const of of engines) await of.close();
  return {
    championP99: { value: alone, unit: "µs" },
    championP99BesideShadow: { value: beside, unit: "µs" },
    shadowP99Cost: atMost(beside / alone - 1, "of p99 alone", 0.05),
    // What the machine makes of two that are alike: less than this cannot be told.
    sameWithoutShadow: { value: again / alone - 1, unit: "of p99 alone" },
  };
}
