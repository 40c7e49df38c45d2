import { type Measurement, topics } from "@coalmine/contract";
import type { Ports } from "@coalmine/ports";
import { messageOf, type Outbox } from "@coalmine/runtime";
import type { Config, ModelReference } from "./config.ts";
import { Drift } from "./drift.ts";
import { failedBy, type InferenceHealth } from "./health.ts";
import { ModelShelf } from "./model-shelf.ts";
import { Results } from "./postprocess.ts";
import { type FailureCause, type Scored, Scoring } from "./scoring.ts";
import type { ServedModel } from "./served-model.ts";
import { Serving } from "./serving.ts";
import { Shadow } from "./shadow.ts";
import type { Window } from "./window.ts";
import { isSameInput } from "./windows-for.ts";

type Used = Pick<Ports, "clock" | "ipc" | "model" | "log" | "process">;

/** Points in, results out: windows, the model that serves, its shadow, and what is counted of them. */
export class Inference {
  readonly #ports: Used;
  readonly #health: InferenceHealth;
  readonly #outbox: Pick<Outbox, "offer" | "size">;
  readonly #shelf: ModelShelf;
  readonly #serving: Serving;
  readonly #scoring: Scoring;
  readonly #results = new Results();
  #drift: { readonly of: ServedModel; readonly drift: Drift } | undefined;
  #shadow: Shadow | undefined;
  #changes: Promise<void> = Promise.resolve();
  #hangs: string | undefined;
  #isClosed = false;

  constructor(
    ports: Used,
    health: InferenceHealth,
    outbox: Pick<Outbox, "offer" | "size">,
    config: () => Config,
  ) {
    this.#ports = ports;
    this.#health = health;
    this.#outbox = outbox;
    this.#shelf = new ModelShelf(ports, ports.process.environment("COALMINE_GREENGRASS_ROOT") ?? "", config);
    this.#serving = new Serving(ports, this.#shelf, {
      swapped: () => health.add("modelSwaps"),
      fellBack: () => health.add("modelFallbacks"),
    });
    this.#scoring = new Scoring(ports.clock, config, {
      scored: (batch, served, runMs) => this.#scored(batch, served, runMs),
      failed: (window, cause, reason) => this.#failed(window, cause, reason),
      lost: (served, failure) => this.#lost(served, failure),
      insteadOf: (failed, reason) => this.#serving.insteadOf(failed, reason),
    });
  }

  get sha256(): string | undefined {
    return this.#serving.served?.manifest.sha256;
  }

  async start({ model, shadow }: Config): Promise<void> {
    await this.#serving.start(model);
    if (shadow !== null) await this.#setShadow(shadow);
  }

  /** Changes are made one after the other, beside the windows; a deployment need not wait for them. */
  configure({ model, shadow }: Config): void {
    this.#changes = this.#changes.then(async () => {
      if (this.#isClosed) return;
      await this.#serving.swap(model);
      await this.#setShadow(shadow);
    });
  }

  /** Why a proposed configuration could not be used, if so. */
  async refusal({ model, shadow }: Config): Promise<string | undefined> {
    const refused = this.#serving.serves(model) ? undefined : await this.#shelf.check(model);
    return refused ?? (shadow === null ? undefined : await this.#shelf.check(shadow));
  }

  take(points: readonly Measurement[]): void {
    for (const { window, served } of this.#serving.add(points)) this.takeWindow(window, served);
  }

  takeWindow(window: Window, served = this.#serving.served): void {
    if (served === undefined) return;
    this.#health.add("windows");
    this.#scoring.take(window, served);
  }

  /** Brings the gauges up to date, and tells the local report. */
  report(): void {
    const health = this.#health;
    const drift = this.#drift?.drift;
    const shadow = this.#shadow?.agreement.report();
    health.set("modelReady", this.#serving.served === undefined ? 0 : 1);
    health.set("pending", this.#scoring.pending);
    health.set("pointsDropped", this.#serving.dropped);
    health.set("driftInputPsi", drift?.worst("input", "psi") ?? 0);
    health.set("driftInputKs", drift?.worst("input", "ks") ?? 0);
    health.set("driftOutputPsi", drift?.worst("output", "psi") ?? 0);
    health.set("driftOutputKs", drift?.worst("output", "ks") ?? 0);
    health.set("shiftLevel", drift?.shiftLevel ?? 0);
    health.set("shadowWindows", shadow?.windows ?? 0);
    health.set("shadowAgreed", shadow?.agreed ?? 0);
    health.set("shadowFailed", shadow?.failed ?? 0);
    health.set("shadowSkipped", shadow?.skipped ?? 0);
    health.set("shadowKappa", shadow?.kappa ?? 0);
    health.set("shadowDifferenceMean", shadow?.differenceMean ?? 0);
    const named = (served: ServedModel | undefined) =>
      served && {
        component: served.manifest.component,
        version: served.manifest.version,
        sha256: served.manifest.sha256,
      };
    const report = {
      version: 1,
      serving: named(this.#serving.served),
      ...(shadow === undefined ? {} : { shadow: { ...named(this.#shadow?.served), ...shadow } }),
      ...(drift === undefined ? {} : { drift: drift.findings }),
    };
    // The next report says it again.
    void this.#ports.ipc.publish(topics.modelReport, { json: report }).catch(() => undefined);
    this.restartIfNeeded();
  }

  /** Once nothing is under way: a thread that hangs in native code holds a processor until the process ends. */
  restartIfNeeded(): void {
    if (this.#hangs === undefined || this.#scoring.pending > 0 || this.#outbox.size > 0) return;
    this.#ports.process.fail(`a model run never ended (${this.#hangs}); the component starts again`);
    this.#hangs = undefined;
  }

  /** Scores what is there; what `signal` cuts off has failed as stopped. */
  async finish(signal: AbortSignal): Promise<void> {
    this.#isClosed = true;
    await this.#scoring.stop(signal);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#shadow?.close();
    await this.#serving.close();
  }

  async #setShadow(reference: ModelReference | null): Promise<void> {
    const now = this.#shadow?.served.manifest;
    if (now?.sha256 === reference?.sha256 && now?.version === reference?.componentVersion) return;
    await this.#shadow?.close();
    this.#shadow = undefined;
    if (reference === null) return;
    try {
      const served = await this.#shelf.candidate(reference);
      const champion = this.#serving.served?.manifest;
      if (this.#isClosed || champion === undefined || !isSameInput(champion, served.manifest)) {
        await served.close();
        throw new Error("it does not see the same windows as the model that serves");
      }
      this.#shadow = new Shadow(this.#ports, served);
      this.#ports.log.info("a model is shadow from here on", { sha256: reference.sha256 });
    } catch (refused) {
      this.#ports.log.error("a model was refused as shadow", { reason: messageOf(refused) });
    }
  }

  #scored(batch: readonly Scored[], served: ServedModel, runMs: number): void {
    const { manifest } = served;
    const model = manifest.sha256.slice(0, 12);
    for (const { window, score, latencyMs } of batch) {
      this.#health.observe("runMs", runMs / batch.length);
      this.#health.observe("latencyMs", latencyMs);
      const name = `Inference:${window.instrument}:${window.boot}:${window.from}-${window.to}:${model}`;
      if (this.#outbox.offer(name, this.#results.of(window, score, manifest))) {
        this.#health.add("results");
      } else {
        this.#failed(window, "outbox", `${this.#outbox.size} results wait for stream-uploader already`);
      }
      this.#watch(window, score, served);
    }
    this.#serving.scored(served, batch.length);
    const shadow = this.#shadow;
    if (shadow !== undefined && isSameInput(manifest, shadow.served.manifest)) shadow.offer(batch);
  }

  #watch(window: Window, score: Scored["score"], served: ServedModel): void {
    if (this.#drift?.of !== served) this.#drift = { of: served, drift: new Drift(served.manifest) };
    const { drifts, shifted } = this.#drift.drift.add(window, score);
    if (drifts > 0) {
      this.#health.add("driftsFound", drifts);
      for (const { quantity, psi, ks } of this.#drift.drift.findings.filter(({ isDrift }) => isDrift))
        this.#ports.log.warn("what the model sees is not distributed as in its training", {
          quantity,
          psi,
          ks,
        });
    }
    if (!shifted) return;
    this.#health.add("shiftsFound");
    this.#ports.log.warn("the mean of what the model says has shifted", { instrument: window.instrument });
  }

  #failed(window: Window, cause: FailureCause, reason: string): void {
    this.#health.add("failed");
    this.#health.add(failedBy[cause]);
    this.#ports.log.error("a window has no result", {
      cause,
      reason,
      instrument: window.instrument,
      boot: window.boot,
      from: window.from,
      to: window.to,
    });
  }

  #lost(served: ServedModel, failure: unknown): void {
    this.#health.add("workersLost");
    const reason = messageOf(failure);
    this.#ports.log.error("a model's worker was lost; it is opened again and its windows are scored again", {
      sha256: served.manifest.sha256,
      reason,
    });
    if (failure instanceof Error && "code" in failure && failure.code === "MODEL_HANGS") this.#hangs = reason;
  }
}
