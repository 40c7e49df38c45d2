import { Duration, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib/core";
import {
  BuildEnvironmentVariableType,
  BuildSpec,
  LinuxBuildImage,
  PipelineProject,
} from "aws-cdk-lib/aws-codebuild";
import { Artifact, ExecutionMode, Pipeline, PipelineType } from "aws-cdk-lib/aws-codepipeline";
import {
  CodeBuildAction,
  CodeStarConnectionsSourceAction,
  ManualApprovalAction,
} from "aws-cdk-lib/aws-codepipeline-actions";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import {
  PIPELINE_NAME,
  SOURCE_ACTION,
  SOURCE_STAGE,
  stages,
  type WorkAction,
} from "../../pipeline/definition.ts";

export interface DeliveryStackProps extends StackProps {
  /** Of the repository that is pushed to: its connection, owner and name. */
  readonly connectionArn: string;
  readonly repositoryOwner: string;
  readonly repositoryName: string;
  readonly artifactBucket: string;
  /** JSON list of targets, as `pipeline/target.ts` reads it. */
  readonly targets: string;
}

/** CodePipeline V2 of the one definition: CodeBuild runs the work, only the rollout controller answers the waits. */
export class DeliveryStack extends Stack {
  constructor(scope: Construct, id: string, props: DeliveryStackProps) {
    super(scope, id, props);
    const source = new Artifact("Source");
    const store = new Bucket(this, "PipelineStore", {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: true,
      removalPolicy: RemovalPolicy.RETAIN,
      serverAccessLogsPrefix: "access-logs/",
    });
    const pipeline = new Pipeline(this, "Pipeline", {
      pipelineName: PIPELINE_NAME,
      pipelineType: PipelineType.V2,
      executionMode: ExecutionMode.SUPERSEDED,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- CDK's own types disagree under exactOptionalPropertyTypes.
      artifactBucket: store as IBucket,
      crossAccountKeys: false,
    });
    pipeline.addStage({
      stageName: SOURCE_STAGE,
      actions: [
        new CodeStarConnectionsSourceAction({
          actionName: SOURCE_ACTION,
          connectionArn: props.connectionArn,
          owner: props.repositoryOwner,
          repo: props.repositoryName,
          branch: "main",
          output: source,
          // Stages look at the history: what was pushed, and what changed since.
          codeBuildCloneOutput: true,
        }),
      ],
    });
    // Each action leaves its checkout, with what it built, to the next one.
    let checkout = source;
    for (const stage of stages) {
      if (stage.kind === "wait") {
        const additionalInformation = `waits for ${stage.waitsFor}`;
        pipeline.addStage({
          stageName: stage.name,
          actions: [new ManualApprovalAction({ actionName: stage.name, additionalInformation })],
        });
        continue;
      }
      const actions = stage.actions.map((action, index) => {
        const input = checkout;
        checkout = new Artifact(`${stage.name}${action.name}`);
        const project = this.#project(stage.name, action, props);
        return new CodeBuildAction({
          actionName: action.name,
          project,
          input,
          outputs: [checkout],
          runOrder: index + 1,
        });
      });
      pipeline.addStage({ stageName: stage.name, actions });
    }
  }

  #project(stage: string, action: WorkAction, props: DeliveryStackProps): PipelineProject {
    const install = "node pipeline/stages/install.ts";
    const project = new PipelineProject(this, `${stage}${action.name === stage ? "" : action.name}Project`, {
      description: `${stage} of ${PIPELINE_NAME}`,
      environment: { buildImage: LinuxBuildImage.AMAZON_LINUX_2023_5 },
      environmentVariables: {
        COALMINE_TARGETS: { type: BuildEnvironmentVariableType.PLAINTEXT, value: props.targets },
        COALMINE_CACHE: { value: "/codebuild/coalmine-cache" },
      },
      timeout: Duration.minutes(action.timeoutMinutes),
      buildSpec: BuildSpec.fromObject({
        version: "0.2",
        phases: {
          install: { "runtime-versions": { nodejs: "24" } },
          // A container of its own has no packages yet; the action that installs them fills the cache.
          pre_build: {
            commands: [
              "export COALMINE_COMMIT=$CODEBUILD_RESOLVED_SOURCE_VERSION",
              ...(action.commands.includes(install) ? [] : [install]),
            ],
          },
          build: { commands: [...action.commands] },
        },
        artifacts: { files: ["**/*"], "exclude-paths": ["node_modules/**"] },
        cache: { paths: ["/codebuild/coalmine-cache/**/*"] },
      }),
    });
    if (stage === "Publish") this.#mayPublish(project, props);
    return project;
  }

  #mayPublish(project: PipelineProject, props: DeliveryStackProps): void {
    const components = `arn:${this.partition}:greengrass:*:${this.account}:components:coalmine.*`;
    project.addToRolePolicy(
      new PolicyStatement({
        actions: [
          "greengrass:CreateComponentVersion",
          "greengrass:DescribeComponent",
          "greengrass:GetComponent",
          "greengrass:TagResource",
        ],
        resources: [components],
      }),
    );
    project.addToRolePolicy(
      new PolicyStatement({
        actions: ["s3:PutObject", "s3:GetObject"],
        resources: [`arn:${this.partition}:s3:::${props.artifactBucket}/*`],
      }),
    );
  }
}
