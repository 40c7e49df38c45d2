import { Stack, type StackProps } from "aws-cdk-lib/core";
import { CfnPolicy, CfnProvisioningTemplate, CfnRoleAlias, CfnThingGroup } from "aws-cdk-lib/aws-iot";
import type { UserPool } from "aws-cdk-lib/aws-cognito";
import { PolicyDocument, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Key } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import { Commissioning } from "./commissioning.ts";
import {
  devicePolicy,
  names,
  provisioningTemplate,
  registrarPolicy,
  roleIn,
  tokenExchangePolicy,
} from "./identity.ts";
import { regionKey } from "./region-key.ts";
import { userPool } from "./user-pool.ts";

export interface IdentityStackProps extends StackProps {
  readonly code: string;
  readonly isHome: boolean;
  /** Whether anybody signs in to anything in this region. */
  readonly hasPeople: boolean;
  readonly artifactBucket: string;
  readonly lakeBucket: string;
  /** Of log-manager, where devices are to put what CloudWatch Logs rejects. */
  readonly deadLetterBucket?: string | undefined;
  readonly alertEmail?: string | undefined;
  /** Groups that are there already. */
  readonly existingGroups: readonly string[];
}

/** Thing groups, policies, the provisioning template and the role of the devices of one region. */
export class IdentityStack extends Stack {
  readonly key: Key;
  /** Who signs in to what the region shows. */
  readonly people: UserPool | undefined;

  constructor(scope: Construct, id: string, props: IdentityStackProps) {
    super(scope, id, props);
    const place = { region: this.region, accountId: this.account, partition: this.partition };
    const { code, isHome, existingGroups, artifactBucket, alertEmail } = props;
    this.key = regionKey(this);
    this.people = props.hasPeople ? userPool(this) : undefined;

    const groups = {
      FleetGroup: names.fleetGroup,
      MainGroup: names.mainGroup,
      CanaryGroup: names.canaryGroup,
    };
    for (const [groupId, thingGroupName] of Object.entries(groups))
      if (!existingGroups.includes(thingGroupName)) new CfnThingGroup(this, groupId, { thingGroupName });
    new CfnPolicy(this, "DevicePolicy", {
      policyName: names.devicePolicy,
      policyDocument: devicePolicy(place),
    });

    const components = new Role(this, "TokenExchangeRole", {
      roleName: roleIn(names.tokenExchangeRole, this.region, isHome),
      description: "What Coalmine's components may do at AWS, by the device's certificate",
      assumedBy: new ServicePrincipal("credentials.iot.amazonaws.com"),
      inlinePolicies: {
        components: PolicyDocument.fromJson(
          tokenExchangePolicy(place, {
            artifacts: artifactBucket,
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
      inlinePolicies: { register: PolicyDocument.fromJson(registrarPolicy(place)) },
    });
    const { hookArn } = new Commissioning(this, "Commissioning", {
      code,
      key: this.key,
      reportBucket: artifactBucket,
      alertEmail,
    });
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
