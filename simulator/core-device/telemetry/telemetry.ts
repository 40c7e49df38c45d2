import type { Clock, JsonObject, Log, Random, Timer } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { inChunks, PAYLOAD_BYTES_MAX } from "../cloud/chunks.ts";
import type { CloudSession } from "../cloud/session.ts";
import type { ConfigurationTree } from "../configuration/tree.ts";
import { NUCLEUS } from "../deployment/plan.ts";
import type { Services } from "../lifecycle/services.ts";
import type { State } from "../lifecycle/states.ts";
import type { SystemMetrics } from "../ports.ts";
import { Gathered, wireForm, withWhole, type Point } from "./gathered.ts";

/** The least that the nucleus takes, and what it does where nothing is set. */
const AGGREGATE_SECONDS = 3600;
const PUBLISH_SECONDS = 86_400;
/** After a connection or a change of its configuration a publication that is overdue comes within these. */
const OVERDUE_SECONDS = 5;
/** Ours: so many points wait for a publication, the newest. */
const POINTS_MAX = 1000;
const SCHEMA = "2022-06-30";
const CONFIGURED = ["services", NUCLEUS, "configuration", "telemetry"];
const LAST_PUBLISHED = ["services", "TelemetryAgent", "runtime", "lastPeriodicPublishMetricsTime"];

const stateNames: Readonly<Record<State, string>> = {
  NEW: "New",
  INSTALLED: "Installed",
  STARTING: "Starting",
  RUNNING: "Running",
  STOPPING: "Stopping",
  ERRORED: "Errored",
  BROKEN: "Broken",
  FINISHED: "Finished",
  UNINSTALLED: "Stateless",
};

interface TelemetryOptions {
  readonly thingName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly session: CloudSession;
  readonly tree: ConfigurationTree;
  readonly services: Services;
  /** Without it the device tells nothing of its machine. */
  readonly systemMetrics: SystemMetrics | undefined;
}

/** Gathers how machine and components are, and tells the cloud once a day. */
export class Telemetry {
  readonly #options: TelemetryOptions;
  readonly #gathered = new Gathered();
  #points: Point[] = [];
  #aggregating: Timer | undefined;
  #publishing: Timer | undefined;
  #isRunning = false;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    options.session.onConnected(() => this.#planPublication(true));
    options.tree.onChange(({ path }) => {
      if (!CONFIGURED.every((name, index) => path[index]?.toLowerCase() === name.toLowerCase())) return;
      if (this.#isRunning) this.#plan(true);
    });
  }

  start(): void {
    this.#isRunning = true;
    this.#plan(false);
  }

  stop(): void {
    this.#isRunning = false;
    this.#aggregating?.cancel();
    this.#publishing?.cancel();
  }

  /** A value that a component of AWS's gives; those of an interval are added up. */
  put(namespace: string, name: string, unit: string, value: number): void {
    this.#gathered.add(namespace, { name, unit, aggregation: "Sum", value });
  }

  #plan(isAgain: boolean): void {
    this.#aggregating?.cancel();
    this.#planPublication(isAgain);
    if (!this.#isEnabled) return;
    const { clock } = this.#options;
    const everyMs = this.#seconds("periodicAggregateMetricsIntervalSec", AGGREGATE_SECONDS) * 1000;
    const next = (): void => {
      this.#measure();
      this.#aggregating = clock.timer(everyMs, () => {
        this.#points.push(...this.#gathered.take(clock.now()));
        this.#points = this.#points.slice(-POINTS_MAX);
        next();
      });
    };
    next();
  }

  /** With a delay by chance, so that a fleet does not tell everything at once. */
  #planPublication(isAgain: boolean): void {
    this.#publishing?.cancel();
    if (!this.#isRunning || !this.#isEnabled) return;
    const { clock, random, tree } = this.#options;
    const everySeconds = this.#seconds("periodicPublishMetricsIntervalSec", PUBLISH_SECONDS);
    const last = tree.getNumber(LAST_PUBLISHED) ?? clock.now();
    const isOverdue = isAgain && last + everySeconds * 1000 < clock.now();
    const withinSeconds = isOverdue
      ? OVERDUE_SECONDS
      : this.#seconds("periodicAggregateMetricsIntervalSec", AGGREGATE_SECONDS);
    const next = (): void => {
      this.#publish();
      this.#publishing = clock.timer(everySeconds * 1000, next);
    };
    this.#publishing = clock.timer(random.next() * withinSeconds * 1000, next);
  }

  #measure(): void {
    const { services, systemMetrics } = this.#options;
    const average = (namespace: string, name: string, unit: string, value: number): void =>
      this.#gathered.add(namespace, { name, unit, aggregation: "Average", value });
    const states = services.all().map(({ lifecycle }) => lifecycle.state);
    for (const [state, name] of Object.entries(stateNames)) {
      const count = states.filter((each) => each === state).length;
      average("GreengrassComponents", `NumberOfComponents${name}`, "Count", count);
    }
    const system = systemMetrics?.();
    if (system === undefined) return;
    average("SystemMetrics", "CpuUsage", "Percent", system.cpuPercent);
    average("SystemMetrics", "TotalNumberOfFDs", "Count", system.openFileDescriptors);
    average("SystemMetrics", "SystemMemUsage", "Megabytes", system.memoryMebibytes);
  }

  #publish(): void {
    const { session, clock, tree, thingName, log } = this.#options;
    if (!session.isConnected) return;
    tree.set(LAST_PUBLISHED, Math.round(clock.now()), clock.now());
    if (this.#points.length === 0) return;
    const points = withWhole(this.#points, clock.now()).map(wireForm);
    this.#points = [];
    const head: JsonObject = { Schema: SCHEMA };
    const room = PAYLOAD_BYTES_MAX - Buffer.byteLength(JSON.stringify({ ...head, ADP: [] }));
    try {
      for (const ADP of inChunks(points, room))
        session.spooler.add(
          `$aws/things/${thingName}/greengrass/health/json`,
          new TextEncoder().encode(JSON.stringify({ ...head, ADP })),
          1,
        );
    } catch (failure) {
      log.warn("telemetry could not be kept for sending", { why: messageOf(failure) });
    }
  }

  get #isEnabled(): boolean {
    const enabled = this.#options.tree.get([...CONFIGURED, "enabled"]);
    return enabled !== false && enabled !== "false";
  }

  /** A shorter interval than the nucleus's own is passed over. */
  #seconds(key: string, least: number): number {
    return Math.max(least, this.#options.tree.getNumber([...CONFIGURED, key]) ?? 0);
  }
}
