import { CfnResource, Duration, RemovalPolicy, Stack } from "aws-cdk-lib/core";
import { PolicyDocument, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Code, Function as Lambda, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { Statement } from "../policies/statement.ts";
import type { Program } from "./code.ts";

/** A second of start and less: what a program holds is read at once. */
const MEMORY_MIB = 1024;

export interface CoalmineFunctionProps {
  readonly functionName: string;
  readonly description: string;
  /** The folder of the bundle. */
  readonly code: string;
  /** The program, and what it exports. */
  readonly program: Program;
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMiB?: number;
  readonly environment: Readonly<Record<string, string>>;
  /** All that it may do, beside writing its own log. */
  readonly may: readonly Statement[];
}

/** A function of AWS Lambda with a role and a log of its own. */
export class CoalmineFunction extends Construct {
  readonly function: Lambda;

  constructor(scope: Construct, id: string, props: CoalmineFunctionProps) {
    super(scope, id);
    const { partition, region, account } = Stack.of(this);
    const { functionName, description, code, program, handler, timeoutSeconds, environment, may } = props;
    const logGroupName = `/aws/lambda/${functionName}`;
    const logGroup = new LogGroup(this, "Log", {
      logGroupName,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const log: Statement = {
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: [`arn:${partition}:logs:${region}:${account}:log-group:${logGroupName}:log-stream:*`],
    };
    const role = new Role(this, "Role", {
      description: `What ${functionName} may do`,
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      inlinePolicies: {
        may: PolicyDocument.fromJson({ Version: "2012-10-17", Statement: [log, ...may] }),
      },
    });
    this.function = new Lambda(this, "Function", {
      functionName,
      description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(code),
      handler: `${program}.${handler}`,
      memorySize: props.memoryMiB ?? MEMORY_MIB,
      timeout: Duration.seconds(timeoutSeconds),
      environment: { ...environment },
      role,
      logGroup,
    });
    // The role that is named is waited for already.
    const { defaultChild } = this.function.node;
    if (defaultChild instanceof CfnResource) defaultChild.addDeletionOverride("DependsOn");
  }
}
