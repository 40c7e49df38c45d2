import { RemovalPolicy } from "aws-cdk-lib/core";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import { KEY_ALIAS } from "../policies/statement.ts";

/** Services that tell a topic something, and so encrypt it. */
const telling = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "codestar-notifications.amazonaws.com"];

/** The key that encrypts buckets and topics of a region; it outlives all of them. */
export function regionKey(scope: Construct): Key {
  const key = new Key(scope, "Key", {
    alias: KEY_ALIAS,
    description: "Encrypts Coalmine's artifacts, measurements and notices",
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: telling.map((service) => new ServicePrincipal(service)),
      actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
      // In a key's own policy it means the key.
      resources: ["*"],
      conditions: { StringEquals: { "aws:SourceAccount": key.stack.account } },
    }),
  );
  return key;
}
