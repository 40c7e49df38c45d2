import type { Clock, Instant, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { isJson } from "../is-json.ts";
import { ServiceError, type Operation, type Output, type Place, type Service } from "../service.ts";
import { pageFrom } from "../page.ts";
import { AlarmName } from "./alarm-input.ts";
import { alarmOutput } from "./alarm-output.ts";
import { Alarms, type AlarmsOptions } from "./alarms.ts";
import { embeddedMetrics } from "./embedded-metrics.ts";
import { invalidCombination, invalidValue, parsed } from "./errors.ts";
import { limits } from "./limits.ts";
import { MetricInput, Unit, metricOutput } from "./metric.ts";
import { evaluateQueries, PeriodSeconds, periodMsOf, Queries, Stat } from "./metric-data.ts";
import { floor, MetricStore } from "./metric-store.ts";
import { readMetricData } from "./put-metric-data.ts";
import { statisticOf } from "./statistics.ts";

const Page = z.object({
  NextToken: z
    .string()
    .regex(/^\d{1,9}$/)
    .optional(),
});
const Names = z.object({ AlarmNames: z.array(AlarmName).max(100) });
const State = z.enum(["OK", "ALARM", "INSUFFICIENT_DATA"]);
const RECENTLY_MS = 3 * 3600_000;

/** CloudWatch: metrics, their statistics, alarms. */
export class CloudWatchService implements Service {
  readonly signingName = "monitoring";
  readonly operations: Service["operations"];
  readonly #metrics: MetricStore;
  readonly #alarms: Alarms;
  readonly #clock: Clock;
  readonly #place: Place;
  readonly #log: Log;

  constructor(options: Omit<AlarmsOptions, "metrics">) {
    this.#clock = options.clock;
    this.#place = options.place;
    this.#log = options.log;
    this.#metrics = new MetricStore(options);
    this.#alarms = new Alarms({ ...options, metrics: this.#metrics });
    this.operations = {
      PutMetricData: (input) => {
        this.#metrics.add(readMetricData(input, this.#clock.now()));
        return {};
      },
      ListMetrics: (input) => this.#listMetrics(input),
      GetMetricStatistics: (input) => this.#getStatistics(input),
      GetMetricData: (input) => this.#getData(input),
      ...this.#alarmOperations(),
    };
  }

  /** Log lines of the embedded metric format become metrics, in the call that keeps the lines. */
  takeLogLines(lines: readonly string[]): void {
    const data = lines.flatMap((line) => embeddedMetrics(line, this.#clock.now()));
    try {
      if (data.length > 0) this.#metrics.add(data);
    } catch (failure) {
      this.#log.warn("metrics in log lines were not taken", { cause: messageOf(failure) });
    }
  }

  stop(): void {
    this.#alarms.stop();
  }

  #listMetrics(input: unknown): Output {
    const asked = parsed(
      Page.extend({
        Namespace: z.string().optional(),
        MetricName: z.string().optional(),
        Dimensions: z.array(z.object({ Name: z.string(), Value: z.string().optional() })).default([]),
        RecentlyActive: z.literal("PT3H").optional(),
      }),
      input,
    );
    const since = asked.RecentlyActive === undefined ? 0 : this.#clock.now() - RECENTLY_MS;
    const found = [...this.#metrics.metrics()].filter(
      ({ namespace, name, dimensions, lastAt }) =>
        (asked.Namespace ?? namespace) === namespace &&
        (asked.MetricName ?? name) === name &&
        lastAt >= since &&
        asked.Dimensions.every(
          ({ Name, Value }) =>
            dimensions[Name] !== undefined && (Value ?? dimensions[Name]) === dimensions[Name],
        ),
    );
    const { items, NextToken } = pageFrom(found, Number(asked.NextToken ?? 0), limits.metricsPerPage);
    return { Metrics: items.map(metricOutput), NextToken };
  }

  #getStatistics(input: unknown): Output {
    const metric = parsed(MetricInput, input);
    const asked = parsed(
      z.object({
        StartTime: z.date(),
        EndTime: z.date(),
        Period: PeriodSeconds,
        Statistics: z.array(Stat).default([]),
        ExtendedStatistics: z.array(Stat).default([]),
        Unit: Unit.optional(),
      }),
      input,
    );
    const { Period, Statistics, ExtendedStatistics } = asked;
    const [from, to] = rangeOf(asked);
    if (Statistics.length + ExtendedStatistics.length === 0)
      throw invalidCombination("At least one of Statistics and ExtendedStatistics must be given.");
    const periodMs = Period * 1000;
    if ((to - from) / periodMs > limits.statisticsPointsMax)
      throw invalidCombination(
        `You have requested up to ${Math.ceil((to - from) / periodMs)} datapoints, which exceeds the limit of ${limits.statisticsPointsMax}. You may reduce the datapoints requested by increasing Period, or decreasing the time range.`,
      );
    const series = this.#metrics.series(metric, floor(from, periodMs), to, periodMs, asked.Unit);
    return {
      Label: metric.name,
      Datapoints: [...series].map(([at, point]) => ({
        Timestamp: at,
        ...Object.fromEntries(Statistics.map((name) => [name, statisticOf(name)?.(point)])),
        ...(ExtendedStatistics.length === 0
          ? {}
          : {
              ExtendedStatistics: Object.fromEntries(
                ExtendedStatistics.map((name) => [name, statisticOf(name)?.(point)]),
              ),
            }),
        Unit: asked.Unit ?? this.#metrics.unitOf(metric),
      })),
    };
  }

  #getData(input: unknown): Output {
    const asked = parsed(
      Page.extend({
        MetricDataQueries: Queries,
        StartTime: z.date(),
        EndTime: z.date(),
        ScanBy: z.enum(["TimestampAscending", "TimestampDescending"]).default("TimestampDescending"),
        MaxDatapoints: z.number().int().min(1).max(limits.dataPointsMax).default(limits.dataPointsMax),
      }),
      input,
    );
    const [from, to] = rangeOf(asked);
    const queries = asked.MetricDataQueries;
    const periods = queries.map((query) => (to - from) / periodMsOf(query, queries));
    if (periods.reduce((sum, count) => sum + count, 0) > limits.dataPointsMax)
      throw invalidValue(`The queries ask for more than ${limits.dataPointsMax} data points.`);
    const answers = evaluateQueries(this.#metrics, queries, from, to);
    const direction = asked.ScanBy === "TimestampAscending" ? 1 : -1;
    const points = queries
      .filter((query) => query.ReturnData)
      .flatMap(({ Id }) =>
        [...(answers.get(Id) ?? [])]
          .sort(([a], [b]) => direction * (a - b))
          .map(([at, value]) => ({ Id, at, value })),
      );
    const { items, NextToken } = pageFrom(points, Number(asked.NextToken ?? 0), asked.MaxDatapoints);
    return {
      MetricDataResults: queries
        .filter((query) => query.ReturnData)
        .map(({ Id, Label, MetricStat }) => {
          const own = items.filter((point) => point.Id === Id);
          return {
            Id,
            Label: Label ?? MetricStat?.Metric.name ?? Id,
            Timestamps: own.map((point) => point.at),
            Values: own.map((point) => point.value),
            StatusCode: NextToken === undefined ? "Complete" : "PartialData",
          };
        }),
      NextToken,
    };
  }

  #alarmOperations(): Record<string, Operation> {
    const alarms = this.#alarms;
    return {
      PutMetricAlarm: (input) => {
        alarms.put(input);
        return {};
      },
      DescribeAlarms: (input) => {
        const asked = parsed(
          Page.extend({
            AlarmNames: z.array(AlarmName).max(100).optional(),
            AlarmNamePrefix: AlarmName.optional(),
            StateValue: State.optional(),
            ActionPrefix: z.string().optional(),
            MaxRecords: z.number().int().min(1).max(100).default(50),
          }),
          input,
        );
        const found = alarms
          .all(asked.AlarmNamePrefix)
          .filter(
            ({ name, state, input: { OKActions, AlarmActions, InsufficientDataActions } }) =>
              (asked.AlarmNames?.includes(name) ?? true) &&
              (asked.StateValue ?? state) === state &&
              (asked.ActionPrefix === undefined ||
                [...OKActions, ...AlarmActions, ...InsufficientDataActions].some((action) =>
                  action.startsWith(asked.ActionPrefix ?? ""),
                )),
          );
        const { items, NextToken } = pageFrom(found, Number(asked.NextToken ?? 0), asked.MaxRecords);
        return {
          MetricAlarms: items.map((alarm) => alarmOutput(alarm, this.#place)),
          CompositeAlarms: [],
          NextToken,
        };
      },
      DescribeAlarmHistory: (input) => {
        const { AlarmName: name } = parsed(z.object({ AlarmName: AlarmName.optional() }), input);
        const names = name === undefined ? alarms.all().map((alarm) => alarm.name) : [name];
        return {
          AlarmHistoryItems: names
            .flatMap((one) => alarms.history(one).map((item) => ({ one, item })))
            .sort((a, b) => b.item.at - a.item.at)
            .slice(0, limits.historyPerAlarmMax)
            .map(({ one, item }) => ({
              AlarmName: one,
              AlarmType: "MetricAlarm",
              HistoryItemType: "StateUpdate",
              Timestamp: item.at,
              HistorySummary: item.summary,
              HistoryData: item.data,
            })),
        };
      },
      SetAlarmState: (input) => {
        const asked = parsed(
          z.object({
            AlarmName,
            StateValue: State,
            StateReason: z.string().max(1023),
            StateReasonData: z.string().max(4000).optional(),
          }),
          input,
        );
        const { StateValue, StateReason, StateReasonData } = asked;
        if (StateReasonData !== undefined && !isJson(StateReasonData))
          throw new ServiceError("InvalidFormatFault", 400, "StateReasonData is not JSON.");
        alarms.setState(alarms.alarm(asked.AlarmName), StateValue, StateReason, StateReasonData);
        return {};
      },
      DeleteAlarms: (input) => {
        alarms.delete(parsed(Names, input).AlarmNames);
        return {};
      },
      EnableAlarmActions: (input) => {
        alarms.setActionsEnabled(parsed(Names, input).AlarmNames, true);
        return {};
      },
      DisableAlarmActions: (input) => {
        alarms.setActionsEnabled(parsed(Names, input).AlarmNames, false);
        return {};
      },
    };
  }
}

function rangeOf({ StartTime, EndTime }: { StartTime: Date; EndTime: Date }): [Instant, Instant] {
  if (StartTime >= EndTime)
    throw invalidCombination("The parameter StartTime must be less than the parameter EndTime.");
  return [StartTime.getTime(), EndTime.getTime()];
}
