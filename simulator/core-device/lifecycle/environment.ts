import type { Definition } from "./definition.ts";

/** What every component process of this device is given; later ones win. */
export interface ProcessSurroundings {
  readonly thingName: string;
  readonly region: string;
  readonly nucleusVersion: string;
  readonly rootPath: string;
  readonly rootCaPath: string | undefined;
  /** The credentials endpoint, once it runs. */
  readonly credentialsUri: string | undefined;
  /** Of the machine or the simulation: PATH, HOME, service endpoints. */
  readonly inherited: Readonly<Record<string, string>>;
}

const SYSTEM_PATHS = ["/bin", "/usr/bin", "/sbin", "/usr/sbin"];

export function environmentOf(
  definition: Definition,
  authToken: string,
  step: string,
  setenv: Readonly<Record<string, string>>,
  surroundings: ProcessSurroundings,
): Record<string, string> {
  const { region, rootPath, inherited } = surroundings;
  const path = [...(inherited["PATH"] ?? "").split(":"), ...SYSTEM_PATHS].filter((entry) => entry !== "");
  return {
    ...inherited,
    PATH: [...new Set(path)].join(":"),
    AWS_IOT_THING_NAME: surroundings.thingName,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    GGC_VERSION: surroundings.nucleusVersion,
    AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH: `${rootPath}/ipc.socket`,
    // From `<root>/work/<component>`, where the process stands.
    AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: "../../ipc.socket",
    SVCUID: authToken,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: authToken,
    ...(surroundings.credentialsUri === undefined
      ? {}
      : { AWS_CONTAINER_CREDENTIALS_FULL_URI: surroundings.credentialsUri }),
    ...(surroundings.rootCaPath === undefined ? {} : { GG_ROOT_CA_PATH: surroundings.rootCaPath }),
    ...(step === "uninstall" ? { GREENGRASS_COMPONENT_VERSION: definition.version } : {}),
    ...setenv,
  };
}
