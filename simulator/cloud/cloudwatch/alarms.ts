import type { Clock, Instant, Log, Timer } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { Functions } from "../functions.ts";
import { ServiceError, type CloudEvents, type Input, type Output, type Place } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { conditionOf, periodSecondsOf, queriesOf, readAlarm, type Alarm } from "./alarm-input.ts";
import { alarmState, EXTRA_PERIODS, type AlarmState } from "./alarm-state.ts";
import { alarmArn, changeEvent, changeMessage, configurationOf } from "./alarm-output.ts";
import { limits } from "./limits.ts";
import { evaluateQueries } from "./metric-data.ts";
import { floor, type MetricStore } from "./metric-store.ts";

export interface AlarmsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly place: Place;
  readonly events: CloudEvents;
  readonly log: Log;
  readonly invoke: (service: string, operation: string, input: Input) => Promise<Output>;
  readonly functions: Functions;
  readonly metrics: MetricStore;
}

export interface HistoryItem {
  readonly at: Instant;
  readonly summary: string;
  readonly data: string;
}

const MINUTE_MS = 60_000;
const TEN_SECONDS_MS = 10_000;

/** Metric alarms: evaluated each minute of the cloud's clock, or each ten seconds where one has so short a period. */
export class Alarms {
  readonly #options: AlarmsOptions;
  readonly #alarms: Table<Alarm>;
  readonly #history: Table<readonly HistoryItem[]>;
  #timer: Timer | undefined;

  constructor(options: AlarmsOptions) {
    this.#options = options;
    this.#alarms = options.store.table("cloudwatch/alarms");
    this.#history = options.store.table("cloudwatch/alarm-history");
    this.#evaluateLater();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  put(input: unknown): void {
    const given = readAlarm(input);
    const { AlarmName: name } = given;
    const former = this.#alarms.get(name);
    if (former === undefined && this.#alarms.size >= limits.alarmsMax)
      throw new ServiceError(
        "LimitExceededFault",
        400,
        `The account has ${limits.alarmsMax} alarms already.`,
      );
    const now = this.#options.clock.now();
    this.#alarms.set(name, {
      name,
      input: given,
      configuredAt: now,
      state: former?.state ?? "INSUFFICIENT_DATA",
      reason: former?.reason ?? "Unchecked: Initial alarm creation",
      reasonData: former?.reasonData,
      stateAt: former?.stateAt ?? now,
    });
    this.#evaluateLater();
  }

  alarm(name: string): Alarm {
    const alarm = this.#alarms.get(name);
    if (alarm === undefined) throw new ServiceError("ResourceNotFound", 404, `Unknown alarm: ${name}`);
    return alarm;
  }

  all(prefix = ""): readonly Alarm[] {
    return [...this.#alarms.entries(prefix)].map(([, alarm]) => alarm);
  }

  /** Newest last. */
  history(name: string): readonly HistoryItem[] {
    return this.#history.get(name) ?? [];
  }

  delete(names: readonly string[]): void {
    // All or none, as DeleteAlarms does.
    for (const name of names) this.alarm(name);
    for (const name of names) {
      this.#alarms.delete(name);
      this.#history.delete(name);
    }
  }

  setActionsEnabled(names: readonly string[], ActionsEnabled: boolean): void {
    for (const name of names) {
      const alarm = this.#alarms.get(name);
      if (alarm !== undefined)
        this.#alarms.set(name, { ...alarm, input: { ...alarm.input, ActionsEnabled } });
    }
  }

  /** As somebody sets it, or as its data say: told to its actions and to EventBridge where it changes. */
  setState(alarm: Alarm, state: AlarmState, reason: string, reasonData: string | undefined): void {
    const now = this.#options.clock.now();
    const changed: Alarm = { ...alarm, state, reason, reasonData, stateAt: now };
    this.#alarms.set(alarm.name, changed);
    if (state === alarm.state) return;
    const item = {
      at: now,
      summary: `Alarm updated from ${alarm.state} to ${state}`,
      data: JSON.stringify({ oldState: alarm.state, newState: state, reason }),
    };
    this.#history.set(alarm.name, [...this.history(alarm.name), item].slice(-limits.historyPerAlarmMax));
    const { place, events } = this.#options;
    events.emit(changeEvent(alarm, changed, place));
    if (!changed.input.ActionsEnabled) return;
    const { OKActions, AlarmActions, InsufficientDataActions } = changed.input;
    const actions = { OK: OKActions, ALARM: AlarmActions, INSUFFICIENT_DATA: InsufficientDataActions }[state];
    for (const action of actions) void this.#act(action, alarm, changed);
  }

  async #act(action: string, before: Alarm, alarm: Alarm): Promise<void> {
    const { place, functions, invoke, log } = this.#options;
    try {
      if (action.startsWith("arn:aws:sns:"))
        await invoke("sns", "Publish", {
          TopicArn: action,
          // A subject is ASCII, a name need not be.
          Subject: `${alarm.state}: "${alarm.name.replaceAll(/[^ -~]/g, "?")}" in ${place.region}`.slice(
            0,
            100,
          ),
          Message: JSON.stringify(changeMessage(before, alarm, place)),
        });
      else if (action.startsWith("arn:aws:lambda:"))
        await functions.call(action, {
          source: "aws.cloudwatch",
          alarmArn: alarmArn(alarm.name, place),
          accountId: place.accountId,
          time: new Date(alarm.stateAt).toISOString(),
          region: place.region,
          alarmData: {
            alarmName: alarm.name,
            state: { value: alarm.state, reason: alarm.reason },
            previousState: { value: before.state, reason: before.reason },
            configuration: configurationOf(alarm),
          },
        });
      else throw new Error("only SNS topics and functions are simulated as alarm actions");
    } catch (failure) {
      log.warn("an alarm's action failed", { alarm: alarm.name, action, cause: messageOf(failure) });
    }
  }

  #evaluateLater(): void {
    this.stop();
    const alarms = this.all();
    if (alarms.length === 0) return;
    const isShort = alarms.some(({ input }) => periodSecondsOf(queriesOf(input)) < 60);
    const everyMs = isShort ? TEN_SECONDS_MS : MINUTE_MS;
    const { clock, log, store } = this.#options;
    const now = clock.now();
    this.#timer = clock.timer(floor(now, everyMs) + everyMs - now, () => {
      for (const alarm of this.all())
        try {
          this.#evaluate(alarm);
        } catch (failure) {
          log.error("an alarm could not be evaluated", { alarm: alarm.name, cause: messageOf(failure) });
        }
      this.#evaluateLater();
      store.commit().catch((failure: unknown) => {
        log.error("the states of alarms could not be kept", { cause: messageOf(failure) });
      });
    });
  }

  /** Over the periods that have ended. */
  #evaluate(alarm: Alarm): void {
    const { clock, metrics } = this.#options;
    const queries = queriesOf(alarm.input);
    const condition = conditionOf(alarm.input);
    const periodMs = periodSecondsOf(queries) * 1000;
    const end = floor(clock.now(), periodMs);
    const periods = condition.periods + EXTRA_PERIODS;
    const id = queries.find((query) => query.ReturnData)?.Id ?? "";
    const series = evaluateQueries(metrics, queries, end - periods * periodMs, end).get(id);
    const times = Array.from({ length: periods }, (_, back) => end - (periods - back) * periodMs);
    const points = times.map((at) => series?.get(at));
    const state = alarmState(condition, points);
    if (state === undefined || state === alarm.state) return;
    const recent = points.filter((point) => point !== undefined).slice(-condition.periods);
    const breaches = recent.filter(condition.isBreach).length;
    const reason =
      recent.length === 0
        ? `No datapoints were received for ${condition.periods} periods and missing datapoints were treated as [${condition.missing}].`
        : `${breaches} out of the last ${recent.length} datapoints [${recent.join(", ")}] were ${alarm.input.ComparisonOperator} ${alarm.input.Threshold} (minimum ${condition.breachesMin} for an ALARM).`;
    this.setState(
      alarm,
      state,
      reason,
      JSON.stringify({
        version: "1.0",
        queryDate: new Date(clock.now()).toISOString(),
        period: periodMs / 1000,
        recentDatapoints: recent,
        threshold: alarm.input.Threshold,
      }),
    );
  }
}
