import type { EffectiveDeploymentExecutionStatus } from "@aws-sdk/client-greengrassv2";
import type {
  ComponentStatusCode,
  DeploymentErrorType,
  DetailedDeploymentStatus,
} from "@coalmine/contract/device-status";
import type { Entry } from "./entry.ts";

/** How a deployment ended on a device. */
export const detailedStatuses: Readonly<Record<DetailedDeploymentStatus, Entry>> = {
  SUCCESSFUL: ["the device has taken the deployment", "there is nothing to do"],
  FAILED_NO_STATE_CHANGE: [
    "the deployment failed before it changed anything, and the device runs what it ran",
    "look at the cause",
  ],
  FAILED_ROLLBACK_NOT_REQUESTED: [
    "the deployment failed half way and was to stay so",
    "look at the cause, and deploy a good set at once, since the device runs neither",
  ],
  FAILED_ROLLBACK_COMPLETE: [
    "the deployment failed, and the device has gone back to what it ran",
    "look at the cause",
  ],
  FAILED_UNABLE_TO_ROLLBACK: [
    "the deployment failed, and the device could not go back either",
    "look at what runs on it, and deploy the last good set to this thing",
  ],
  REJECTED: ["the device refused the deployment and changed nothing", "look at the cause"],
};

/** How far a deployment is on a device, by what the cloud has heard. */
export const executionStatuses: Readonly<Record<EffectiveDeploymentExecutionStatus, Entry>> = {
  QUEUED: [
    "it has not begun its deployment",
    "it takes it as soon as it is on line; look at its power and link where it should be",
  ],
  IN_PROGRESS: [
    "it has begun its deployment and not ended it",
    "look at greengrass.log there; at its deadline it counts as failed, and the next deployment follows",
  ],
  FAILED: ["it failed its deployment", "look at the cause"],
  TIMED_OUT: [
    "it did not end its deployment in time",
    "look at greengrass.log there for what it waits for; the next deployment is not held up",
  ],
  REJECTED: ["it refused its deployment and changed nothing", "look at the cause"],
  CANCELED: [
    "it was told to leave its deployment",
    "there is nothing to do where a rollback follows; otherwise deploy again",
  ],
  SUCCEEDED: [
    "it has taken its deployment, and has not yet said what it runs",
    "its next status message says it; look at its link where none comes",
  ],
  COMPLETED: [
    "it has taken its deployment, and has not yet said what it runs",
    "its next status message says it; look at its link where none comes",
  ],
};

/** Why a component is ERRORED or BROKEN. */
export const componentStatuses: Readonly<Record<ComponentStatusCode, Entry>> = {
  INSTALL_ERROR: [
    "its install script failed",
    "read the component's log on the device, and try the script there",
  ],
  INSTALL_CONFIG_NOT_VALID: [
    "its install step is configured with what cannot be",
    "correct the recipe's Install, or the deployment's runWith",
  ],
  INSTALL_IO_ERROR: [
    "its install script could not be started",
    "look at the rights and the disk of the device",
  ],
  INSTALL_MISSING_DEFAULT_RUNWITH: [
    "nobody said which user installs it",
    "set runWithDefault of the nucleus, or RequiresPrivilege in the recipe",
  ],
  INSTALL_TIMEOUT: ["its install script took too long", "make it quicker, or raise Timeout of Install"],
  STARTUP_ERROR: ["it did not start", "read the component's log on the device"],
  STARTUP_CONFIG_NOT_VALID: [
    "its startup step is configured with what cannot be",
    "correct the recipe's Startup, or the deployment's runWith",
  ],
  STARTUP_IO_ERROR: [
    "its startup script could not be started",
    "look at the rights and the disk of the device",
  ],
  STARTUP_MISSING_DEFAULT_RUNWITH: [
    "nobody said which user starts it",
    "set runWithDefault of the nucleus, or RequiresPrivilege in the recipe",
  ],
  STARTUP_TIMEOUT: ["it did not say in time that it runs", "read its log, or raise Timeout of Startup"],
  RUN_ERROR: ["it ended by itself with a failure", "read the last lines of its log on the device"],
  RUN_CONFIG_NOT_VALID: [
    "its run step is configured with what cannot be",
    "correct the recipe's Run, or the deployment's runWith",
  ],
  RUN_IO_ERROR: ["its run script could not be started", "look at the rights and the disk of the device"],
  RUN_MISSING_DEFAULT_RUNWITH: [
    "nobody said which user runs it",
    "set runWithDefault of the nucleus, or RequiresPrivilege in the recipe",
  ],
  RUN_TIMEOUT: ["it ran longer than its recipe allows", "raise Timeout of Run, or take it out"],
  SHUTDOWN_ERROR: ["its shutdown script failed", "read the component's log on the device"],
  SHUTDOWN_TIMEOUT: [
    "it did not end in time and was killed",
    "make it heed SIGTERM, or raise Timeout of Shutdown",
  ],
  UNINSTALL_ERROR: ["its uninstall script failed", "read the component's log, and clean up by hand there"],
  UNINSTALL_TIMEOUT: ["its uninstall script took too long", "make it quicker, or raise Timeout of Uninstall"],
};

/** Whose matter a failure is, for a code that nobody here knows. */
export const errorTypes: Readonly<Record<DeploymentErrorType, Entry>> = {
  NONE: ["a failure without a type", "look at greengrass.log of the device"],
  UNKNOWN_ERROR: ["a failure that the nucleus does not know either", "look at greengrass.log of the device"],
  SERVER_ERROR: ["the cloud failed", "wait and deploy again"],
  NUCLEUS_ERROR: ["the nucleus on the device failed", "look at greengrass.log there, and at its version"],
  CLOUD_SERVICE_ERROR: [
    "the cloud answered with what cannot be",
    "deploy again; report it to AWS where it stays so",
  ],
  COMPONENT_ERROR: ["a component failed, and whose it is cannot be told", "read its log on the device"],
  AWS_COMPONENT_ERROR: [
    "a component of AWS failed",
    "look at its documentation and at its log on the device",
  ],
  USER_COMPONENT_ERROR: ["one of your own components failed", "read its log on the device"],
  PERMISSION_ERROR: ["something was not allowed", "look at the policies of certificate and role"],
  DEVICE_ERROR: ["the device itself is in the way", "look at its disk and settings; `coalmine doctor` helps"],
  NETWORK_ERROR: [
    "the network was in the way",
    "look at the device's link; `coalmine doctor` says what fails",
  ],
  DEPENDENCY_ERROR: ["something that the component needs failed", "look at the cause for what"],
  REQUEST_ERROR: ["the deployment asks for what cannot be", "correct it and push again"],
  HTTP_ERROR: ["a request did not get through", "look at the device's network and proxy"],
  COMPONENT_RECIPE_ERROR: ["a recipe is wrong", "correct it and push again"],
};
