import type { JsonObject } from "@coalmine/recipe";

/** AWS's own components that a core device asks for. Their recipes carry only what a nucleus reads of them here. */
export interface PublicComponent {
  readonly name: string;
  readonly versions: readonly string[];
  readonly recipe: (version: string) => JsonObject;
}

export const publicComponents: readonly PublicComponent[] = [
  {
    name: "aws.greengrass.Nucleus",
    versions: ["2.12.6", "2.13.0", "2.14.0", "2.15.0", "2.16.0", "2.17.0", "2.18.0"],
    recipe: (version) => ({
      ...head("aws.greengrass.Nucleus", version, "aws.greengrass.nucleus"),
      ComponentDescription: "The software that runs a Greengrass core device.",
    }),
  },
  {
    name: "aws.greengrass.TokenExchangeService",
    versions: ["2.0.3"],
    recipe: (version) => ({
      ...head("aws.greengrass.TokenExchangeService", version, "aws.greengrass.plugin"),
      ComponentDescription: "Gives components the credentials of the device's role.",
    }),
  },
];

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
