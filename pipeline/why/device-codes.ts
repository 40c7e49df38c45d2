import type { EntriesOf } from "./entry.ts";

/** Why a deployment failed where the device, its network or the cloud is to blame, and the codes that say only where. */
export const deviceCodes: EntriesOf<
  | "NONE"
  | "UNKNOWN_ERROR"
  | "NUCLEUS_ERROR"
  | "HTTP_ERROR"
  | "NETWORK_ERROR"
  | "SERVER_ERROR"
  | "DEVICE_ERROR"
  | "CLOUD_SERVICE_ERROR"
> = {
  DEPLOYMENT_FAILURE: [
    "the deployment failed",
    "look at the codes after this one, and at greengrass.log of the device",
  ],
  DEPLOYMENT_REJECTED: [
    "the device refused the deployment and changed nothing",
    "look at the codes after this one",
  ],
  DEPLOYMENT_INTERRUPTED: [
    "the device was stopped in the middle of the deployment",
    "start it; it takes the deployment up again",
  ],
  ARTIFACT_DOWNLOAD_ERROR: [
    "an artifact did not arrive on the device",
    "look at the codes after this one; rights, room and network are the usual reasons",
  ],
  NO_AVAILABLE_COMPONENT_VERSION: [
    "there is no version of a component that this device may have and that everybody agrees on",
    "look whether it is published in the device's region and for its platform, and what its other groups ask for",
  ],
  COMPONENT_PACKAGE_LOADING_ERROR: [
    "a component's recipe or artifacts on the device cannot be read",
    "look at the codes after this one; removing the component's files there makes it fetch them anew",
  ],
  REJECTED_STALE_DEPLOYMENT: [
    "a newer revision of the group had come already",
    "there is nothing to do: the device runs the newer one",
  ],
  CLOUD_API_ERROR: ["a call to the cloud was refused", "look at the codes after this one for which and why"],
  IO_ERROR: [
    "reading or writing on the device failed",
    "look at its disk: room, health, and whether it is mounted read-only",
  ],
  IO_MAPPING_ERROR: [
    "the device got a document that it cannot read",
    "look at the cause for which; a deployment that was made by hand is the usual reason",
  ],
  DEPLOYMENT_DOCUMENT_NOT_VALID: [
    "the deployment's document contradicts itself",
    "correct the deployment; revise it, since the device will not take this one",
  ],
  EMPTY_DEPLOYMENT_REQUEST: [
    "the deployment asks for nothing",
    "name its components, or say in it that all are to be removed",
  ],
  DEPLOYMENT_DOCUMENT_PARSE_ERROR: [
    "the deployment's document cannot be read",
    "look at its configuration updates, which have to be JSON, and revise it",
  ],
  COMPONENT_METADATA_NOT_VALID_IN_DEPLOYMENT: [
    "the deployment says something of a component that is not so",
    "correct version and configuration of that component, and revise the deployment",
  ],
  COMPONENT_UPDATE_ERROR: [
    "a component did not come up in its new version",
    "read the last lines of its log on the device; the version before runs again where the rollback worked",
  ],
  COMPONENT_BROKEN: [
    "a component failed three times in a row and is given up",
    "read its status code and the last lines of its log; `npm run simulate` with the same versions plays it back",
  ],
  REMOVE_COMPONENT_ERROR: [
    "a component that is not wanted any more could not be removed",
    "look at its uninstall script, and at who holds its files open",
  ],
  COMPONENT_BOOTSTRAP_TIMEOUT: [
    "a component's bootstrap script took longer than it may",
    "make it quicker, or raise Timeout of Bootstrap in its recipe",
  ],
  COMPONENT_BOOTSTRAP_ERROR: [
    "a component's bootstrap script failed",
    "read what it said in the component's log on the device",
  ],
  COMPONENT_CONFIGURATION_NOT_VALID: [
    "a component refused the configuration that the deployment brings",
    "correct configurationUpdate by the sentence in the cause, and push again",
  ],
  DEPLOYMENT_TYPE_NOT_VALID: [
    "the device does not know this kind of deployment",
    "make it by Greengrass for a thing or a thing group; it may also need a newer nucleus",
  ],
  BAD_REQUEST: [
    "the cloud could not make sense of what the nucleus asked",
    "look at the nucleus's version and clock; deploy again",
  ],
  NUCLEUS_VERSION_NOT_FOUND: [
    "the device cannot tell which nucleus it runs",
    "install the nucleus anew on it, with its configuration kept",
  ],
  NUCLEUS_RESTART_FAILURE: [
    "the nucleus did not come up again after the deployment restarted it",
    "look at loader.log on the device; its launch folder has the nucleus before",
  ],
  COMPONENT_LOAD_FAILURE: [
    "the nucleus could not load a component",
    "look at greengrass.log there; its recipe may be of a newer format than this nucleus reads",
  ],
  HTTP_REQUEST_ERROR: [
    "a request of the device did not get through",
    "look at its network and proxy; `coalmine doctor` on the device says which address fails",
  ],
  DOWNLOAD_DEPLOYMENT_DOCUMENT_ERROR: [
    "a deployment too large for its message could not be fetched",
    "look whether the device reaches S3, and may read its deployment's document",
  ],
  GET_GREENGRASS_ARTIFACT_SIZE_ERROR: [
    "the device could not ask how large an artifact is",
    "look at its network and proxy, and deploy again",
  ],
  DOWNLOAD_GREENGRASS_ARTIFACT_ERROR: [
    "an artifact that Greengrass keeps could not be fetched",
    "look at the device's network and proxy, and deploy again",
  ],
  NETWORK_ERROR: [
    "the device was off line when it needed the cloud",
    "there is nothing to do where it comes back; otherwise look at its link, and at `coalmine doctor`",
  ],
  MQTT_CONNECTION_FAILED: [
    "the device cannot connect to AWS IoT",
    "look at ports 8883 and 443, its certificate and its endpoint; `coalmine doctor` on the device tries them",
  ],
  TLS_HANDSHAKE_FAILURE: [
    "the device and the cloud do not trust each other",
    "look at the device's clock, its certificate, and at a proxy that opens the connection",
  ],
  SERVER_ERROR: ["the cloud failed", "wait and deploy again; look at AWS's health page where it stays so"],
  CREDENTIAL_ENDPOINT_SERVER_ERROR: [
    "AWS IoT could not give the device credentials",
    "wait and deploy again; the trust policy of its role is the other usual reason",
  ],
  S3_SERVER_ERROR: ["S3 failed", "wait and deploy again"],
  IO_WRITE_ERROR: [
    "the device could not write to its disk",
    "look at room, health and mount of the disk that has the Greengrass folder",
  ],
  IO_READ_ERROR: [
    "the device could not read its disk",
    "look at the disk's health, and at the rights of the Greengrass folder",
  ],
  DISK_SPACE_CRITICAL: [
    "the device has too little room for the artifacts",
    "free some, or raise componentStoreMaxSizeBytes of its nucleus; `coalmine doctor` says how much there is",
  ],
  IO_FILE_ATTRIBUTE_ERROR: [
    "the device could not look at a file",
    "look at the rights of the Greengrass folder, and at the disk's health",
  ],
  SET_PERMISSION_ERROR: [
    "the rights of a file could not be set",
    "run the nucleus as root, and keep its folder on a file system that knows rights",
  ],
  IO_UNZIP_ERROR: [
    "an artifact could not be unpacked",
    "look at the room on the device; where there is enough, the zip is damaged: build and bump again",
  ],
  LOCAL_RECIPE_NOT_FOUND: [
    "the recipe of a component that runs is not on the device any more",
    "deploy again while it is on line, so that it fetches it",
  ],
  LOCAL_RECIPE_CORRUPTED: [
    "a recipe on the device is damaged",
    "remove it under packages/recipes there, deploy again, and look at the disk",
  ],
  LOCAL_RECIPE_METADATA_NOT_FOUND: [
    "what the device keeps beside a recipe is gone",
    "remove the component's files there, and deploy again while it is on line",
  ],
  HASHING_ALGORITHM_UNAVAILABLE: [
    "the device's Java cannot compute the artifact's digest",
    "install a Java runtime that has SHA-256",
  ],
  LAUNCH_DIRECTORY_CORRUPTED: [
    "the folder that the nucleus starts from is damaged",
    "install the nucleus anew on the device, with its configuration kept",
  ],
  DEVICE_CONFIG_NOT_VALID_FOR_ARTIFACT_DOWNLOAD: [
    "the device's settings do not let it fetch artifacts",
    "correct region, endpoints and role alias of its nucleus; `coalmine doctor` says which are wrong",
  ],
  RESOLVE_COMPONENT_CANDIDATES_BAD_RESPONSE: [
    "the cloud answered with component versions that nobody asked for",
    "deploy again; report it to AWS where it stays so",
  ],
  DEPLOYMENT_DOCUMENT_SIZE_EXCEEDED: [
    "the deployment is larger than a device takes",
    "shorten its configuration updates, or split its components over groups",
  ],
  GREENGRASS_ARTIFACT_SIZE_NOT_FOUND: [
    "the cloud does not say how large an artifact is",
    "publish the version again",
  ],
};
