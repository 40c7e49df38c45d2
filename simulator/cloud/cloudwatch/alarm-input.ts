import * as z from "zod";
import type { Instant } from "@coalmine/ports";
import { comparisons, missingTreatments, type AlarmCondition, type AlarmState } from "./alarm-state.ts";
import { invalidCombination, invalidValue, missing, parsed } from "./errors.ts";
import { limits } from "./limits.ts";
import { Dimensions, MetricName, Namespace, Unit } from "./metric.ts";
import { PeriodSeconds, Queries, Stat, type Query } from "./metric-data.ts";

const Actions = z.array(z.string().max(1024)).max(limits.alarmActionsMax).default([]);
export const AlarmName = z.string().min(1).max(limits.alarmNameCharactersMax);

const PutMetricAlarm = z.object({
  AlarmName,
  AlarmDescription: z.string().max(1024).optional(),
  ActionsEnabled: z.boolean().default(true),
  OKActions: Actions,
  AlarmActions: Actions,
  InsufficientDataActions: Actions,
  Namespace: Namespace.optional(),
  MetricName: MetricName.optional(),
  Dimensions: z.unknown().optional(),
  Statistic: Stat.optional(),
  ExtendedStatistic: Stat.optional(),
  Period: PeriodSeconds.optional(),
  Unit: Unit.optional(),
  Metrics: z.unknown().optional(),
  EvaluationPeriods: z.number().int().min(1),
  DatapointsToAlarm: z.number().int().min(1).optional(),
  Threshold: z.number().optional(),
  ComparisonOperator: z.string(),
  TreatMissingData: z.enum(missingTreatments).default("missing"),
});

/** An alarm as it is kept. `input` is what was given, as it is told again. */
export interface Alarm {
  readonly name: string;
  readonly input: z.infer<typeof PutMetricAlarm>;
  readonly configuredAt: Instant;
  readonly state: AlarmState;
  readonly reason: string;
  readonly reasonData: string | undefined;
  readonly stateAt: Instant;
}

/** @throws ServiceError as PutMetricAlarm refuses. */
export function readAlarm(input: unknown): Alarm["input"] {
  const alarm = parsed(PutMetricAlarm, input);
  conditionOf(alarm);
  const queries = queriesOf(alarm);
  const seconds = periodSecondsOf(queries) * alarm.EvaluationPeriods;
  if (seconds > 86_400)
    throw invalidValue(
      "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).",
    );
  return alarm;
}

export function conditionOf(alarm: Alarm["input"]): AlarmCondition {
  const compare = comparisons.get(alarm.ComparisonOperator);
  if (compare === undefined)
    throw invalidValue(`The ComparisonOperator ${alarm.ComparisonOperator} is not simulated.`);
  const { Threshold: threshold } = alarm;
  if (threshold === undefined) throw missing("Threshold");
  const { EvaluationPeriods: periods, DatapointsToAlarm: breachesMin = periods } = alarm;
  if (breachesMin > periods)
    throw invalidCombination("DatapointsToAlarm must not be more than EvaluationPeriods.");
  return {
    isBreach: (point) => compare(point, threshold),
    periods,
    breachesMin,
    missing: alarm.TreatMissingData,
  };
}

/** One metric is a query like any other. The one that returns data is the alarm's. */
export function queriesOf(alarm: Alarm["input"]): readonly Query[] {
  if (alarm.Metrics !== undefined) {
    if (alarm.MetricName !== undefined)
      throw invalidCombination("The parameters MetricName and Metrics are mutually exclusive.");
    const queries = parsed(Queries, alarm.Metrics);
    if (queries.filter((query) => query.ReturnData).length !== 1)
      throw invalidValue("Exactly one of the Metrics must have ReturnData.");
    return queries;
  }
  const { Namespace: namespace, MetricName: name, Statistic, ExtendedStatistic, Period, Unit: unit } = alarm;
  const stat = Statistic ?? ExtendedStatistic;
  if (namespace === undefined) throw missing("Namespace");
  if (name === undefined) throw missing("MetricName");
  if (Period === undefined) throw missing("Period");
  if (stat === undefined) throw missing("Statistic");
  if (Statistic !== undefined && ExtendedStatistic !== undefined)
    throw invalidCombination("The parameters Statistic and ExtendedStatistic are mutually exclusive.");
  const dimensions = parsed(Dimensions.default({}), alarm.Dimensions);
  const MetricStat = {
    Metric: { namespace, name, dimensions },
    Period,
    Stat: stat,
    ...(unit === undefined ? {} : { Unit: unit }),
  };
  return [{ Id: "m1", MetricStat, ReturnData: true }];
}

export function periodSecondsOf(queries: readonly Query[]): number {
  return Math.max(...queries.map(({ MetricStat, Period }) => MetricStat?.Period ?? Period ?? 1));
}
