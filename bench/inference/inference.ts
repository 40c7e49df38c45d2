import { InferenceSession, Tensor } from "onnxruntime-node";
import { atMost, type Bench, inTurn, median, type Metrics, ratio } from "../measure.ts";
import { artifactBytes } from "./artifact.ts";
import { engine, manifest, modelBytes, windowOf } from "../../components/inference/test/engine.fixture.ts";
import { ringRoundTrip } from "./ring-round-trip.ts";
import { swapStall } from "./swap-stall.ts";

const ROUNDS = 9;
const RUNS = 1500;
/** About as long as a bare run of one window. */
const RUN_US = 50;
const BATCH = 64;
const BATCHES = 300;

/** What the component adds to a model run: in one thread and bare on one side, through its worker on the other. */
export const bench: Bench = async (say) => {
  const quiet = await engine();
  const shadowed = await engine();
  shadowed.configure({ shadow: await shadowed.place("1.0.1") });
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
        ringUs: () => ringRoundTrip(manifest.input.width),
        // While the thread works this one falls asleep, and is slower to wake: the limit for a run of that length.
        handOverUs: () => ringRoundTrip(manifest.input.width, RUN_US),
      },
      ROUNDS,
    );
    const overhead = median(figures.pathUs.map((us, round) => us - (figures.bareUs[round] ?? 0)));
    const batchOverhead = median(
      figures.pathBatchUs.map((us, round) => us - (figures.bareBatchUs[round] ?? 0)),
    );
    say("beside a shadow");
    const shadow = await besideShadow(quiet, shadowed);
    say("swaps under 1,000 windows a second");
    const stall = await swapStall(5);
    const sizeBytes = await artifactBytes();
    const metrics: Metrics = {
      bareRun: { value: median(figures.bareUs), unit: "µs/window" },
      path: { value: median(figures.pathUs), unit: "µs/window" },
      overhead: atMost(overhead, "µs/window", 70),
      // What two threads of this machine take to wake each other, in the same rounds.
      threadRoundTrip: { value: median(figures.ringUs), unit: "µs" },
      threadHandOver: { value: median(figures.handOverUs), unit: "µs" },
      overheadBeyondHandOver: { value: overhead - median(figures.handOverUs), unit: "µs/window" },
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
    await shadowed.close();
  }
};

type Engine = Awaited<ReturnType<typeof engine>>;

async function bareRuns() {
  const session = await InferenceSession.create(modelBytes, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: "sequential",
  });
  const of = async (rows: number, runs: number): Promise<number> => {
    const { width } = manifest.input;
    const { value, classes } = manifest.outputs;
    const zeros = (...shape: [number, number]) =>
      new Tensor("float32", new Float32Array(shape[0] * shape[1]), shape);
    const feeds = { [manifest.input.name]: zeros(rows, width) };
    const fetches = { [value.name]: zeros(rows, 1), [classes.name]: zeros(rows, classes.labels.length) };
    const times: number[] = [];
    for (let run = 0; run < runs; run++) {
      const startedMs = performance.now();
      await session.run(feeds, fetches);
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

async function besideShadow(quiet: Engine, shadowed: Engine): Promise<Metrics> {
  let shadows = 0;
  await shadowed.shadowResults(() => shadows++);
  while (shadows === 0) await spaced(shadowed, 10);
  const p99 = async (of: Engine): Promise<number> => {
    const sorted = (await spaced(of, 600)).toSorted((a, b) => a - b);
    return 1000 * (sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN);
  };
  const { alone, beside } = await inTurn({ alone: () => p99(quiet), beside: () => p99(shadowed) }, ROUNDS);
  shadowed.inference.report();
  return {
    championP99: { value: median(alone), unit: "µs" },
    championP99BesideShadow: { value: median(beside), unit: "µs" },
    shadowP99Cost: atMost(ratio(beside, alone) - 1, "of p99 alone", 0.05),
  };
}

/** Windows that come apart, as instruments send them: each latency in ms. */
async function spaced(of: Engine, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < count; run++) {
    times.push(...(await latencies(of, 1)));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return times;
}
