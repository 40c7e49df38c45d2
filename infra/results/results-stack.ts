import { CfnOutput, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib/core";
import { HttpMethod } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpIamAuthorizer, HttpJwtAuthorizer } from "aws-cdk-lib/aws-apigatewayv2-authorizers";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import type { UserPool } from "aws-cdk-lib/aws-cognito";
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { CfnRule } from "aws-cdk-lib/aws-events";
import { CfnManagedPolicy, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Function as Lambda } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import { CoalmineFunction } from "../functions/coalmine-function.ts";
import { openHttpApi } from "../functions/http-api.ts";
import { resultFunctions, resultRoutes } from "../handlers/results/results.ts";
import { RESULTS_TABLE } from "../handlers/results/shelf.ts";
import { names, roleIn } from "../identity/identity.ts";
import { signedInTo } from "../identity/user-pool.ts";
import { resultsMay } from "./may.ts";

/** Requests a second, from everywhere together. */
const RATE_MAX = 50;

export interface ResultsStackProps extends StackProps {
  readonly code: string;
  readonly isHome: boolean;
  readonly lakeBucket: string;
  /** Who asks by the API; without anybody results are files of the lake alone. */
  readonly people: UserPool | undefined;
}

/** What models said, for clinicians and for the devices themselves. */
export class ResultsStack extends Stack {
  readonly #props: ResultsStackProps;

  constructor(scope: Construct, id: string, props: ResultsStackProps) {
    super(scope, id, props);
    this.#props = props;
    const intake = this.#function("intake");
    const rule = new CfnRule(this, "NewObjects", {
      description: "New objects of the lake go to who takes results out of them",
      eventPattern: {
        source: ["aws.s3"],
        "detail-type": ["Object Created"],
        detail: { bucket: { name: [props.lakeBucket] }, object: { key: [{ prefix: "measurements/" }] } },
      },
      targets: [{ id: "intake", arn: intake.functionArn }],
    });
    intake.addPermission("Rule", {
      principal: new ServicePrincipal("events.amazonaws.com"),
      sourceArn: rule.attrArn,
    });
    if (props.people !== undefined) this.#api(props.people);
  }

  #function(name: keyof typeof resultFunctions): Lambda {
    const { code, lakeBucket, people } = this.#props;
    const how = people === undefined ? "s3" : "api";
    const place = { region: this.region, accountId: this.account, partition: this.partition };
    return new CoalmineFunction(this, name, {
      functionName: resultFunctions[name],
      description:
        name === "intake" ? "Takes models' results out of the lake" : "Answers who asks for results",
      code,
      program: "results",
      handler: name,
      timeoutSeconds: 30,
      environment: how === "api" ? {} : { RESULT_BUCKET: lakeBucket },
      may: resultsMay(place, lakeBucket, how)[name],
    }).function;
  }

  #api(people: UserPool): void {
    new Table(this, "Results", {
      tableName: RESULTS_TABLE,
      partitionKey: { name: "thing", type: AttributeType.STRING },
      sortKey: { name: "what", type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const { api } = openHttpApi(this, "Api", { ratePerSecondMax: RATE_MAX });
    const integration = new HttpLambdaIntegration("Ask", this.#function("ask"));
    const { client, issuer } = signedInTo(this, people);
    const authorizer = new HttpJwtAuthorizer("People", issuer, { jwtAudience: [client.userPoolClientId] });
    const methods = [HttpMethod.GET];
    api.addRoutes({ path: resultRoutes.people, methods, integration, authorizer });
    api.addRoutes({ path: resultRoutes.devices, methods, integration, authorizer: new HttpIamAuthorizer() });
    // A device asks by its own role, and for itself alone.
    const own = resultRoutes.devices.replace("{thing}", "${credentials-iot:ThingName}");
    new CfnManagedPolicy(this, "DevicesAsk", {
      description: "A device asks for its own results",
      roles: [roleIn(names.tokenExchangeRole, this.region, this.#props.isHome)],
      policyDocument: {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Action: ["execute-api:Invoke"],
            Resource: [
              `arn:${this.partition}:execute-api:${this.region}:${this.account}:${api.apiId}/$default/GET${own}`,
            ],
          },
        ],
      },
    });
    new CfnOutput(this, "ResultsEndpoint", { value: api.apiEndpoint });
  }
}
