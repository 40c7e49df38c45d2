import type { EntriesOf } from "./entry.ts";

/** Why a deployment failed where the release, its rights or what it depends on is to blame. */
export const releaseCodes: EntriesOf<
  | "COMPONENT_RECIPE_ERROR"
  | "REQUEST_ERROR"
  | "PERMISSION_ERROR"
  | "DEPENDENCY_ERROR"
  | "USER_COMPONENT_ERROR"
> = {
  RECIPE_PARSE_ERROR: [
    "the device cannot read the recipe of a component",
    "correct the recipe and push again; check reads it by the same rules",
  ],
  RECIPE_METADATA_PARSE_ERROR: [
    "what the device keeps beside a recipe cannot be read",
    "remove the component's folder under packages/recipes on the device, and deploy again",
  ],
  ARTIFACT_URI_NOT_VALID: [
    "the address of an artifact is none",
    "correct the URI in the recipe and push again",
  ],
  S3_ARTIFACT_URI_NOT_VALID: [
    "the S3 address of an artifact is not s3://bucket/key",
    "correct the URI in the recipe and push again",
  ],
  DOCKER_ARTIFACT_URI_NOT_VALID: [
    "the address of a container image is none",
    "correct the docker: URI in the recipe and push again",
  ],
  EMPTY_ARTIFACT_URI: ["an artifact has no address", "give it a URI in the recipe, or remove it"],
  EMPTY_ARTIFACT_SCHEME: [
    "the address of an artifact does not say how it is fetched",
    "begin the URI in the recipe with s3: or greengrass:",
  ],
  UNSUPPORTED_ARTIFACT_SCHEME: [
    "an artifact would have to be fetched in a way that this device does not know",
    "publish it to S3, and push again",
  ],
  RECIPE_MISSING_MANIFEST: [
    "the recipe has no manifest for this device's platform",
    "add a manifest for its operating system and architecture",
  ],
  RECIPE_MISSING_ARTIFACT_HASH_ALGORITHM: [
    "an artifact comes with a digest, and the recipe does not say of which algorithm",
    "publish the version again, so that Greengrass writes SHA-256",
  ],
  ARTIFACT_CHECKSUM_MISMATCH: [
    "what was downloaded is not what was published",
    "find out who changed the object in the bucket; then bump and publish again, since a version's bytes never change",
  ],
  COMPONENT_DEPENDENCY_NOT_VALID: [
    "a dependency asks for a version that is no version",
    "correct ComponentDependencies in the recipe and push again",
  ],
  CONFIG_INTERPOLATE_ERROR: [
    "a lifecycle script names a configuration value that is not there",
    "correct the {configuration:…} in the recipe, or give the value a default",
  ],
  COMPONENT_VERSION_NOT_VALID: [
    "the version of a component is no semantic version",
    "correct ComponentVersion, and bump again",
  ],
  CUSTOM_PLUGIN_NOT_SUPPORTED: [
    "the deployment brings a plugin into the nucleus's own process, which this nucleus does not take",
    "deploy it as an ordinary component",
  ],
  NUCLEUS_MISSING_REQUIRED_CAPABILITIES: [
    "this nucleus is too old for what the deployment asks of it",
    "raise aws.greengrass.Nucleus first, by a rollout of its own",
  ],
  COMPONENT_CIRCULAR_DEPENDENCY_ERROR: [
    "components depend on each other in a circle",
    "take one of the dependencies out of its recipe",
  ],
  UNAUTHORIZED_NUCLEUS_MINOR_VERSION_UPDATE: [
    "the deployment would raise the nucleus by a minor version that nobody asked for",
    "name the version of aws.greengrass.Nucleus in the deployment, so that it is meant",
  ],
  MISSING_DOCKER_APPLICATION_MANAGER: [
    "an artifact is a container image, and what fetches images is not deployed",
    "add aws.greengrass.DockerApplicationManager to the deployment",
  ],
  MISSING_TOKEN_EXCHANGE_SERVICE: [
    "an artifact lies in S3, and what gives the device its rights there is not deployed",
    "add aws.greengrass.TokenExchangeService to the deployment",
  ],
  COMPONENT_VERSION_REQUIREMENTS_NOT_MET: [
    "no version of a component fits all that depend on it, here or in the cloud",
    "look at which group deployments of this device name it, and make them agree",
  ],
  MULTIPLE_NUCLEUS_RESOLVED_ERROR: [
    "the deployments of this device's groups name more than one nucleus",
    "name one version of aws.greengrass.Nucleus in all of them",
  ],
  THROTTLING_ERROR: [
    "the cloud was asked more often than it allows",
    "wait and deploy again, to fewer devices at a time",
  ],
  CONFLICTED_REQUEST: [
    "the cloud was changing what the device asked for",
    "deploy again; where it comes back, look for another deployment at the same time",
  ],
  RESOURCE_NOT_FOUND: [
    "what the device asked the cloud for is not there",
    "look whether the component version is published in this device's region",
  ],
  RUN_WITH_CONFIG_NOT_VALID: [
    "the user or group that a component is to run as does not exist on the device",
    "create it there, as commissioning does, or correct runWith in the deployment",
  ],
  UNSUPPORTED_REGION: [
    "the device is set up for a region without Greengrass",
    "correct awsRegion of its nucleus",
  ],
  IOT_CRED_ENDPOINT_FORMAT_NOT_VALID: [
    "the device's credentials endpoint is not one of its region",
    "correct iotCredEndpoint of its nucleus; `aws iot describe-endpoint` says it",
  ],
  IOT_DATA_ENDPOINT_FORMAT_NOT_VALID: [
    "the device's data endpoint is not one of its region",
    "correct iotDataEndpoint of its nucleus; `aws iot describe-endpoint` says it",
  ],
  S3_HEAD_OBJECT_RESOURCE_NOT_FOUND: [
    "an artifact is not in its bucket",
    "publish again; the recipe and the object have to be in the same region",
  ],
  S3_GET_BUCKET_LOCATION_RESOURCE_NOT_FOUND: [
    "the bucket of an artifact does not exist",
    "correct the bucket in the recipe's URI, or create it",
  ],
  S3_GET_OBJECT_RESOURCE_NOT_FOUND: [
    "an artifact was removed from its bucket after its version was published",
    "put the same bytes back, or bump and publish a new version",
  ],
  ACCESS_DENIED: [
    "the cloud refused the device something that the deployment needs",
    "look at the codes beside this one for what it was, and allow it in the device's policies",
  ],
  GET_DEPLOYMENT_CONFIGURATION_ACCESS_DENIED: [
    "the device may not read its deployment's document",
    "allow greengrass:GetDeploymentConfiguration in the policy of its certificate",
  ],
  GET_COMPONENT_VERSION_ARTIFACT_ACCESS_DENIED: [
    "the device may not fetch artifacts that Greengrass keeps",
    "allow greengrass:GetComponentVersionArtifact in the policy of its certificate",
  ],
  RESOLVE_COMPONENT_CANDIDATES_ACCESS_DENIED: [
    "the device may not ask which component versions there are",
    "allow greengrass:ResolveComponentCandidates in the policy of its certificate",
  ],
  MISSING_MQTT_CONNECT_POLICY: [
    "the device may not connect to AWS IoT under its name",
    "allow iot:Connect for its thing in the policy of its certificate",
  ],
  CREDENTIAL_ENDPOINT_AUTH_FAILURE: [
    "the device was refused credentials of its role",
    "allow iot:AssumeRoleWithCertificate for its role alias in the policy of its certificate",
  ],
  GET_ECR_CREDENTIAL_ERROR: [
    "the device's role may not sign in to ECR",
    "allow ecr:GetAuthorizationToken in the token exchange role",
  ],
  USER_NOT_AUTHORIZED_FOR_DOCKER: [
    "the user that components run as may not use Docker",
    "put it into the docker group on the device",
  ],
  S3_ACCESS_DENIED: [
    "S3 refused the device an artifact",
    "allow s3:GetObject on the artifact bucket in the token exchange role",
  ],
  S3_HEAD_OBJECT_ACCESS_DENIED: [
    "S3 refused to say how large an artifact is",
    "allow s3:GetObject on the artifact bucket in the token exchange role",
  ],
  S3_GET_BUCKET_LOCATION_ACCESS_DENIED: [
    "S3 refused to say in which region the artifact bucket is",
    "allow s3:GetBucketLocation on it in the token exchange role",
  ],
  S3_GET_OBJECT_ACCESS_DENIED: [
    "S3 refused the device the bytes of an artifact",
    "allow s3:GetObject on the artifact bucket in the token exchange role, and look at the bucket's own policy",
  ],
  DOCKER_ERROR: [
    "Docker on the device failed",
    "read what Docker said in the cause, and try the image by hand there",
  ],
  DOCKER_SERVICE_UNAVAILABLE: [
    "Docker does not run on the device, or its registry does not answer",
    "start Docker there, and look whether the registry can be reached",
  ],
  DOCKER_IMAGE_QUERY_ERROR: [
    "Docker on the device cannot say which images it has",
    "look at its daemon on the device",
  ],
  DOCKER_LOGIN_ERROR: [
    "the registry refused the device's sign-in",
    "look at the credentials of the registry, and that the device's clock is right",
  ],
  DOCKER_PULL_ERROR: [
    "a container image could not be fetched",
    "look whether the image and tag exist for the device's architecture",
  ],
  DOCKER_IMAGE_NOT_VALID: ["the registry has no such image", "correct image and tag in the recipe's URI"],
  S3_ERROR: ["S3 failed to give an artifact", "deploy again; the cause has S3's own words"],
  S3_RESOURCE_NOT_FOUND: [
    "S3 has no such bucket or artifact",
    "look whether publish wrote it in this device's region",
  ],
  S3_BAD_REQUEST: [
    "S3 could not make sense of the request for an artifact",
    "look at the region and s3EndpointType of the device's nucleus, and at its clock",
  ],
};
