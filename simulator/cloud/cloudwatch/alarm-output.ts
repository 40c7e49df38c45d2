import type { CloudEvent, Place } from "../service.ts";
import { queriesOf, type Alarm } from "./alarm-input.ts";
import { metricOutput } from "./metric.ts";

/** An alarm as it is told to whoever asks, to SNS and to EventBridge. */
export function alarmArn(name: string, place: Place): string {
  return `arn:aws:cloudwatch:${place.region}:${place.accountId}:alarm:${name}`;
}

/** The MetricAlarm of the API. */
export function alarmOutput(
  { name, input, configuredAt, state, reason, reasonData, stateAt }: Alarm,
  place: Place,
): object {
  return {
    ...input,
    AlarmArn: alarmArn(name, place),
    AlarmConfigurationUpdatedTimestamp: configuredAt,
    StateValue: state,
    StateReason: reason,
    StateReasonData: reasonData,
    StateUpdatedTimestamp: stateAt,
    StateTransitionedTimestamp: stateAt,
  };
}

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html */
export function changeEvent(before: Alarm, alarm: Alarm, place: Place): CloudEvent {
  const stateOf = ({ state, reason, reasonData, stateAt }: Alarm) => ({
    value: state,
    reason,
    ...(reasonData === undefined ? {} : { reasonData }),
    timestamp: new Date(stateAt).toISOString().replace("Z", "+0000"),
  });
  return {
    kind: "aws-event",
    source: "aws.cloudwatch",
    detailType: "CloudWatch Alarm State Change",
    resources: [alarmArn(alarm.name, place)],
    detail: {
      alarmName: alarm.name,
      state: stateOf(alarm),
      previousState: stateOf(before),
      configuration: configurationOf(alarm),
    },
    at: alarm.stateAt,
  };
}

export function configurationOf({ input }: Alarm): object {
  return {
    ...(input.AlarmDescription === undefined ? {} : { description: input.AlarmDescription }),
    metrics: queriesOf(input).map(({ Id, MetricStat, Expression, ReturnData }) => ({
      id: Id,
      ...(Expression === undefined ? {} : { expression: Expression }),
      ...(MetricStat === undefined
        ? {}
        : {
            metricStat: {
              metric: {
                namespace: MetricStat.Metric.namespace,
                name: MetricStat.Metric.name,
                dimensions: MetricStat.Metric.dimensions,
              },
              period: MetricStat.Period,
              stat: MetricStat.Stat,
            },
          }),
      returnData: ReturnData,
    })),
  };
}

/** What an SNS topic is told. */
export function changeMessage(
  before: Alarm,
  { name, input, configuredAt, state, reason, stateAt }: Alarm,
  place: Place,
): object {
  const [query] = queriesOf(input);
  return {
    AlarmName: name,
    AlarmDescription: input.AlarmDescription ?? null,
    AWSAccountId: place.accountId,
    AlarmConfigurationUpdatedTimestamp: new Date(configuredAt).toISOString().replace("Z", "+0000"),
    NewStateValue: state,
    NewStateReason: reason,
    StateChangeTime: new Date(stateAt).toISOString().replace("Z", "+0000"),
    Region: place.region,
    AlarmArn: alarmArn(name, place),
    OldStateValue: before.state,
    OKActions: input.OKActions,
    AlarmActions: input.AlarmActions,
    InsufficientDataActions: input.InsufficientDataActions,
    Trigger: {
      ...(query?.MetricStat === undefined
        ? {}
        : {
            ...metricOutput(query.MetricStat.Metric),
            Period: query.MetricStat.Period,
            Statistic: query.MetricStat.Stat,
          }),
      EvaluationPeriods: input.EvaluationPeriods,
      DatapointsToAlarm: input.DatapointsToAlarm ?? input.EvaluationPeriods,
      ComparisonOperator: input.ComparisonOperator,
      Threshold: input.Threshold,
      TreatMissingData: input.TreatMissingData,
    },
  };
}
