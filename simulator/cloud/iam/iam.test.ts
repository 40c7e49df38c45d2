import {
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
  NoSuchEntityException,
  SimulatePrincipalPolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateRoleAliasCommand, IoTClient } from "@aws-sdk/client-iot";
import { expect, test } from "vitest";
import { startTestCloud } from "../protocol/test-cloud.ts";

test("the role of an alias is told with what the cloud lets it do", async () => {
  const cloud = await startTestCloud();
  const iam = new IAMClient(cloud.client);
  const iot = new IoTClient(cloud.client);
  const roleArn = "arn:aws:iam::123456789012:role/fleet/TokenExchange";
  const RoleName = "TokenExchange";
  await expect(iam.send(new GetRoleCommand({ RoleName }))).rejects.toBeInstanceOf(NoSuchEntityException);
  await iot.send(new CreateRoleAliasCommand({ roleAlias: "devices", roleArn }));
  const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
  expect(Role).toMatchObject({ Arn: roleArn, Path: "/fleet/", CreateDate: expect.any(Date) });
  expect(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "")).toContain("credentials.iot.amazonaws.com");
  const { PolicyNames: [PolicyName] = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  const { PolicyDocument = "" } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
  const { Statement } = JSON.parse(decodeURIComponent(PolicyDocument));
  expect(Statement[0].Action).toEqual(
    expect.arrayContaining(["logs:PutLogEvents", "s3:PutObject", "s3:ListBucket"]),
  );
  expect((await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }))).AttachedPolicies).toEqual([]);
  const { EvaluationResults } = await iam.send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: roleArn,
      ActionNames: ["s3:PutObject", "s3:DeleteObject"],
      ResourceArns: ["arn:aws:s3:::lake/*"],
    }),
  );
  expect(EvaluationResults?.map((one) => [one.EvalActionName, one.EvalDecision])).toEqual([
    ["s3:PutObject", "allowed"],
    ["s3:DeleteObject", "implicitDeny"],
  ]);
  iam.destroy();
  iot.destroy();
  await cloud.close();
});
