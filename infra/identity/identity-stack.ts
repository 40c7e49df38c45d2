import { Stack, type StackProps } from "aws-cdk-lib/core";
import { CfnPolicy, CfnProvisioningTemplate, CfnRoleAlias, CfnThingGroup } from "aws-cdk-lib/aws-iot";
import { PolicyDocument, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import { Commissioning } from "./commissioning.ts";
import { devicePolicy, names, provisioningTemplate, tokenExchangePolicy } from "./identity.ts";

export interface IdentityStackProps extends StackProps {
  readonly artifactBucket: string;
  readonly lakeBucket: string;
  /** Of log-manager, where devices are to put what CloudWatch Logs rejects. */
  readonly deadLetterBucket?: string | undefined;
}

/** Thing groups, policies, the provisioning template and the role of the devices of one region. */
export class IdentityStack extends Stack {
  constructor(scope: Construct, id: string, props: IdentityStackProps) {
    super(scope, id, props);
    const place = { region: this.region, accountId: this.account, partition: this.partition };

    new CfnThingGroup(this, "FleetGroup", { thingGroupName: names.fleetGroup });
    new CfnThingGroup(this, "MainGroup", { thingGroupName: names.mainGroup });
    new CfnThingGroup(this, "CanaryGroup", { thingGroupName: names.canaryGroup });
    new CfnPolicy(this, "DevicePolicy", {
      policyName: names.devicePolicy,
      policyDocument: devicePolicy(place),
    });

    const components = new Role(this, "TokenExchangeRole", {
      roleName: names.tokenExchangeRole,
      description: "What Coalmine's components may do at AWS, by the device's certificate",
      assumedBy: new ServicePrincipal("credentials.iot.amazonaws.com"),
      inlinePolicies: {
        components: PolicyDocument.fromJson(
          tokenExchangePolicy(place, {
            artifacts: props.artifactBucket,
            lake: props.lakeBucket,
            deadLetters: props.deadLetterBucket,
          }),
        ),
      },
    });
    new CfnRoleAlias(this, "TokenExchangeRoleAlias", {
      roleAlias: names.roleAlias,
      roleArn: components.roleArn,
    });

    const registrar = new Role(this, "ProvisioningRole", {
      description: "Lets AWS IoT register the things that the provisioning template describes",
      assumedBy: new ServicePrincipal("iot.amazonaws.com"),
      inlinePolicies: {
        register: PolicyDocument.fromJson({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Action: [
                "iot:CreateThing",
                "iot:DescribeThing",
                "iot:UpdateThing",
                "iot:ListThingGroupsForThing",
                "iot:AddThingToThingGroup",
              ],
              Resource: [
                `arn:${place.partition}:iot:${place.region}:${place.accountId}:thing/*`,
                `arn:${place.partition}:iot:${place.region}:${place.accountId}:thinggroup/coalmine-*`,
              ],
            },
            {
              Effect: "Allow",
              Action: [
                "iot:AttachPolicy",
                "iot:AttachThingPrincipal",
                "iot:DescribeCertificate",
                "iot:UpdateCertificate",
                "iot:RegisterCertificate",
              ],
              Resource: [
                `arn:${place.partition}:iot:${place.region}:${place.accountId}:cert/*`,
                `arn:${place.partition}:iot:${place.region}:${place.accountId}:policy/${names.devicePolicy}`,
              ],
            },
          ],
        }),
      },
    });
    const { hookArn } = new Commissioning(this, "Commissioning", { reportBucket: props.artifactBucket });
    new CfnProvisioningTemplate(this, "ProvisioningTemplate", {
      templateName: names.provisioningTemplate,
      description: "Makes a device of a one-time claim",
      preProvisioningHook: { targetArn: hookArn },
      enabled: true,
      provisioningRoleArn: registrar.roleArn,
      templateBody: JSON.stringify(provisioningTemplate()),
    });
  }
}
