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
  "iot:ListThings": "lists are of the whole region",
  "iot:CreateCertificateFromCsr": "a certificate has no name before it is made",
};
