import type { OperationName } from "@coalmine/ipc";

/** The nucleus has no handler for these of its own: a plugin of AWS's brings it, once it is on the device. */
export const SECRET_MANAGER = "aws.greengrass.SecretManager";
export const SHADOW_MANAGER = "aws.greengrass.ShadowManager";
export const CLI = "aws.greengrass.Cli";
/** Brings no operation: its messages come through the nucleus's own. */
export const DISK_SPOOLER = "aws.greengrass.DiskSpooler";

export const pluginOf: Readonly<Partial<Record<OperationName, string>>> = {
  GetSecretValue: SECRET_MANAGER,
  GetThingShadow: SHADOW_MANAGER,
  UpdateThingShadow: SHADOW_MANAGER,
  DeleteThingShadow: SHADOW_MANAGER,
  ListNamedShadowsForThing: SHADOW_MANAGER,
  ListComponents: CLI,
  GetComponentDetails: CLI,
  RestartComponent: CLI,
  StopComponent: CLI,
  CreateLocalDeployment: CLI,
  CancelLocalDeployment: CLI,
  GetLocalDeploymentStatus: CLI,
  ListLocalDeployments: CLI,
  CreateDebugPassword: CLI,
};
