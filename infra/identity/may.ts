import { certificateAnswerTopic } from "@coalmine/contract/commissioning";
import { COMMISSIONING_TABLE } from "../../api/claims/claim-cloud.ts";
import { replayMetric } from "../../api/claims/replay-metric.ts";
import { allow, arn, bucketArn, byKey, type Place, type Statement } from "../policies/statement.ts";
import type { functionNames } from "./functions.ts";
import { names } from "./identity.ts";

/** What each function of commissioning may do. */
export function commissioningMay(
  place: Place,
  reportBucket: string,
): Record<keyof typeof functionNames, readonly Statement[]> {
  const iot = (resource: string): string => arn(place, "iot", resource);
  const table = (...actions: readonly string[]): Statement =>
    allow(
      actions.map((action) => `dynamodb:${action}`),
      arn(place, "dynamodb", `table/${COMMISSIONING_TABLE}`),
    );
  return {
    claims: [
      table("GetItem", "PutItem", "UpdateItem"),
      allow(["iot:DescribeCertificate"], iot("cert/*")),
      allow(["iot:CreateProvisioningClaim"], iot(`provisioningtemplate/${names.provisioningTemplate}`)),
      {
        // CloudWatch knows no narrower resource.
        ...allow(["cloudwatch:PutMetricData"], "*"),
        Condition: { StringEquals: { "cloudwatch:namespace": replayMetric.Namespace } },
      },
    ],
    allowList: [
      table("GetItem", "PutItem", "UpdateItem"),
      allow(["iot:DescribeCertificate"], iot("cert/*")),
      allow(["iot:ListThingPrincipals"], iot("thing/*")),
    ],
    record: [
      table("PutItem", "Query"),
      allow(["s3:PutObject"], bucketArn(place, `${reportBucket}/commissioning/*`)),
      byKey(place, ["s3"]),
    ],
    certificates: [
      table("PutItem"),
      // A request for a certificate is of no resource.
      allow(["iot:CreateCertificateFromCsr"], "*"),
      allow(["iot:AttachPolicy", "iot:DetachPolicy"], iot("cert/*"), iot(`policy/${names.devicePolicy}`)),
      allow(
        [
          "iot:AttachThingPrincipal",
          "iot:DetachThingPrincipal",
          "iot:ListThingPrincipals",
          "iot:DescribeCertificate",
          "iot:UpdateCertificate",
          "iot:ListAttachedPolicies",
        ],
        iot("cert/*"),
        iot("thing/*"),
      ),
      allow(["iot:Publish"], iot(`topic/${certificateAnswerTopic("*")}`)),
    ],
  };
}
