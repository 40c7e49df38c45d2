import { CfnResource, Duration, RemovalPolicy, Stack } from "aws-cdk-lib/core";
import { Architecture, Code, Function as Lambda, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { ContextError } from "../context.ts";
import { grantedRole } from "../policies/granted-role.ts";
import type { Statement } from "../policies/statement.ts";
import type { Program } from "./code.ts";

/** Of all variables of a function together. @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const ENVIRONMENT_BYTES_MAX = 4096;
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
    const environmentBytes = Buffer.byteLength(Object.entries(environment).flat().join(""));
    if (environmentBytes > ENVIRONMENT_BYTES_MAX)
      throw new ContextError(
        `the environment of ${functionName} would have ${environmentBytes} bytes, and AWS Lambda takes ${ENVIRONMENT_BYTES_MAX}: name fewer regions, or fewer keys in the context signers.`,
      );
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
    const role = grantedRole(this, "Role", {
      description: `What ${functionName} may do`,
      service: "lambda",
      may: [log, ...may],
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
