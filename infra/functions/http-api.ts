import { RemovalPolicy } from "aws-cdk-lib/core";
import { CfnStage, HttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";

/** An HTTP API with its one stage, which keeps a line of each request, without its body and its headers. */
export function openHttpApi(
  scope: Construct,
  id: string,
  { ratePerSecondMax }: { readonly ratePerSecondMax: number },
): { readonly api: HttpApi; readonly stage: CfnStage } {
  const api = new HttpApi(scope, id, { createDefaultStage: false });
  const log = new LogGroup(scope, `${id}Log`, {
    retention: RetentionDays.THREE_MONTHS,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const stage = new CfnStage(scope, `${id}Stage`, {
    apiId: api.apiId,
    stageName: "$default",
    autoDeploy: true,
    defaultRouteSettings: {
      throttlingRateLimit: ratePerSecondMax,
      throttlingBurstLimit: 2 * ratePerSecondMax,
    },
    accessLogSettings: {
      destinationArn: log.logGroupArn,
      format: JSON.stringify({
        time: "$context.requestTime",
        requestId: "$context.requestId",
        ip: "$context.identity.sourceIp",
        route: "$context.routeKey",
        status: "$context.status",
        error: "$context.error.message",
      }),
    },
  });
  return { api, stage };
}
