/**
 * Actions that the service authorizes for no resource narrower than all, and why. A statement for `*` may have these
 * alone. @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export const withoutResource: Readonly<Record<string, string>> = {
  "cloudwatch:PutMetricData": "metrics have no resource; the namespace is a condition",
  "greengrass:CreateDeployment": "a deployment has no name before it is made",
  "greengrass:ListDeployments": "lists are of the whole region",
  "greengrass:ListComponents": "lists are of the whole region",
  "greengrass:ListCoreDevices": "lists are of the whole region",
  "greengrass:GetServiceRoleForAccount": "it is the account's",
  "iot:DescribeEndpoint": "it is the account's",
  "iot:DescribeEventConfigurations": "they are the account's",
  "iot:GetIndexingConfiguration": "it is the account's",
  "iot:GetV2LoggingOptions": "they are the account's",
  "iot:ListTopicRules": "lists are of the whole region",
  "iot:UpdateEventConfigurations": "they are the account's",
  "servicequotas:GetAWSDefaultServiceQuota": "a default is AWS's own",
  "servicequotas:GetServiceQuota": "it is asked of no resource",
  "iot:ListThings": "lists are of the whole region",
  "iot:CreateCertificateFromCsr": "a certificate has no name before it is made",
};
