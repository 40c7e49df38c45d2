import type { Instant, JsonObject } from "@coalmine/ports";
import { NUCLEUS } from "../deployment/plan.ts";
import { DEFAULTS_TIMESTAMP } from "./resolve.ts";
import type { ConfigurationTree } from "./tree.ts";

interface NucleusFacts {
  readonly thingName: string;
  readonly rootPath: string;
  readonly nucleusVersion: string;
  /** As the device was set up; what a deployment wrote stays. */
  readonly configuration: JsonObject;
  readonly now: Instant;
}

/** What the nucleus says of itself in the tree, before anything is read there. */
export function configureNucleus(tree: ConfigurationTree, facts: NucleusFacts): void {
  const { thingName, rootPath: rootpath, nucleusVersion: version, configuration, now } = facts;
  tree.set(["system"], { thingName, rootpath }, now);
  tree.set(["services", NUCLEUS], { version, componentType: "aws.greengrass.nucleus" }, now);
  tree.merge(["services", NUCLEUS, "configuration"], configuration, DEFAULTS_TIMESTAMP);
}
