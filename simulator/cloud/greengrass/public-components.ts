import type { JsonObject } from "@coalmine/recipe";

/** AWS's own components that a core device asks for. Their recipes carry only what a nucleus reads of them here. */
export interface PublicComponent {
  readonly name: string;
  readonly versions: readonly string[];
  readonly recipe: (version: string) => JsonObject;
}

/** Minor versions of the nucleus that this cloud offers, each with the plugins that came out beside it. */
const nucleusVersions = ["2.12.6", "2.13.0", "2.14.0", "2.15.0", "2.16.0", "2.17.0", "2.18.0"];

export const publicComponents: readonly PublicComponent[] = [
  {
    name: "aws.greengrass.Nucleus",
    versions: nucleusVersions,
    recipe: (version) => ({
      ...head("aws.greengrass.Nucleus", version, "aws.greengrass.nucleus"),
      ComponentDescription: "The software that runs a Greengrass core device.",
    }),
  },
  plugin("aws.greengrass.Cli", nucleusVersions, "Lets the device's own command line in."),
  plugin("aws.greengrass.DiskSpooler", ["1.0.6"], "Keeps messages to IoT Core on the disk while offline."),
  plugin("aws.greengrass.SecretManager", ["2.2.0"], "Gives components secrets of Secrets Manager.", {
    cloudSecrets: [],
  }),
  plugin(
    "aws.greengrass.ShadowManager",
    ["2.3.11"],
    "Keeps shadows on the device, and the same as the cloud's.",
    {
      strategy: { type: "realTime" },
      synchronize: {},
      shadowDocumentSizeLimitBytes: 8192,
    },
  ),
  plugin(
    "aws.greengrass.TokenExchangeService",
    ["2.0.3"],
    "Gives components the credentials of the device's role.",
  ),
];

/** A part of the nucleus that a deployment brings to life; its code is the device's own. */
function plugin(
  name: string,
  versions: readonly string[],
  description: string,
  configuration: JsonObject = {},
): PublicComponent {
  return {
    name,
    versions,
    recipe: (version) => ({
      ...head(name, version, "aws.greengrass.plugin"),
      ComponentDescription: description,
      ComponentConfiguration: { DefaultConfiguration: configuration },
    }),
  };
}

function head(name: string, version: string, type: string): JsonObject {
  return {
    RecipeFormatVersion: "2020-01-25",
    ComponentName: name,
    ComponentVersion: version,
    ComponentType: type,
    ComponentPublisher: "AWS",
    ComponentConfiguration: { DefaultConfiguration: {} },
    ComponentDependencies: {},
    Manifests: [{ Platform: { os: "*" }, Lifecycle: {}, Artifacts: [], Selections: [] }],
    Lifecycle: {},
  };
}
