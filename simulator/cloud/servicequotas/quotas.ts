import { awsLimits } from "../broker/limits.ts";
import { limits as eventLimits } from "../eventbridge/limits.ts";
import { limits as indexLimits } from "../fleet-index/limits.ts";
import { ATTRIBUTES_MAX } from "../iot/attributes.ts";
import { limits as ruleLimits } from "../rules/limits.ts";
import { SHADOW_BYTES_MAX } from "../shadows/shadows.ts";
import { limits as snsLimits } from "../sns/limits.ts";

export interface Quota {
  readonly code: string;
  readonly name: string;
  /** What holds in this cloud. */
  readonly value: number;
  /** What AWS gives an account, where it is more. */
  readonly awsDefault?: number;
  readonly unit: "None" | "Second" | "Kilobytes";
}

/**
 * The quotas of AWS that this cloud keeps, by the codes that AWS gave them: the same numbers that refuse. All are
 * adjustable in AWS. @see https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
 */
export const quotas: Readonly<Record<string, { readonly name: string; readonly quotas: readonly Quota[] }>> =
  {
    events: {
      name: "Amazon EventBridge (CloudWatch Events)",
      quotas: [
        { code: "L-244521F2", name: "Number of rules", value: eventLimits.rulesMax, unit: "None" },
        {
          code: "L-664C5505",
          name: "Event pattern size",
          value: eventLimits.patternCharactersMax,
          unit: "None",
        },
      ],
    },
    iot: {
      name: "AWS IoT",
      quotas: [
        {
          code: "L-00E8EC16",
          name: "Maximum number of query terms per query",
          value: indexLimits.termsMax,
          unit: "None",
        },
        {
          code: "L-57F7D467",
          name: "Maximum number of names in the named shadow names filter",
          value: indexLimits.namedShadowsMax,
          unit: "None",
        },
        {
          code: "L-90F8C878",
          name: "Maximum number of query terms per dynamic group",
          value: indexLimits.termsMax,
          unit: "None",
        },
        {
          code: "L-C3993A6F",
          name: "Maximum length of a query",
          value: indexLimits.queryCharactersMax,
          unit: "None",
        },
      ],
    },
    iotcore: {
      name: "AWS IoT Core",
      quotas: [
        {
          code: "L-3964F400",
          name: "Maximum number of thing attributes for a thing with a thing type",
          value: ATTRIBUTES_MAX,
          unit: "None",
        },
        {
          code: "L-3BB6AFBC",
          name: "Persistent session expiry period",
          value: awsLimits.sessionExpirySecondsOfVersion3,
          unit: "Second",
        },
        {
          code: "L-45957C13",
          name: "Subscriptions per connection",
          value: awsLimits.subscriptionsPerConnectionMax,
          unit: "None",
        },
        {
          code: "L-954FA751",
          name: "Maximum number of rules per AWS account",
          value: ruleLimits.rulesMax,
          unit: "None",
        },
        {
          code: "L-A295A064",
          name: "Maximum size of a JSON state document",
          value: SHADOW_BYTES_MAX / 1024,
          unit: "Kilobytes",
        },
        {
          code: "L-C0EA6C17",
          name: "Maximum MQTT5 Topic Alias value",
          value: awsLimits.topicAliasMaximum,
          unit: "None",
        },
      ],
    },
    sns: {
      name: "Amazon Simple Notification Service (SNS)",
      quotas: [
        {
          code: "L-61103206",
          name: "Topics per Account",
          value: snsLimits.topicsMax,
          awsDefault: 100_000,
          unit: "None",
        },
      ],
    },
  };
