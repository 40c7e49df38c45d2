/** What is allowed, as IAM and AWS IoT write it. */
export interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Statement[];
}

/** Where something is. */
export interface Place {
  readonly region: string;
  readonly accountId: string;
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
}

export const allow = (Action: readonly string[], ...Resource: readonly string[]): Statement => ({
  Effect: "Allow",
  Action,
  Resource,
});

export function arn({ partition, region, accountId }: Place, service: string, resource: string): string {
  return `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
}

/** Of S3, whose names are the world's. */
export function bucketArn({ partition }: Pick<Place, "partition">, resource: string): string {
  return `arn:${partition}:s3:::${resource}`;
}

/** The key that encrypts what is kept: only by the service that keeps it. */
export function byKey(place: Place, services: readonly string[]): Statement {
  return {
    Effect: "Allow",
    Action: ["kms:Decrypt", "kms:GenerateDataKey"],
    Resource: [arn(place, "kms", "key/*")],
    Condition: {
      StringEquals: {
        "kms:ViaService": services.map((service) => `${service}.${place.region}.amazonaws.com`),
      },
      "ForAnyValue:StringEquals": { "kms:ResourceAliases": KEY_ALIAS },
    },
  };
}

/** Of the key of each region. */
export const KEY_ALIAS = "alias/coalmine";
