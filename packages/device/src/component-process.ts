import type { ComponentProcess } from "@coalmine/ports";
import { CoalmineError } from "@coalmine/runtime";

/** A variable that every component of ours needs is not in its environment. */
export class EnvironmentIncomplete extends CoalmineError {
  readonly code = "ERR_ENVIRONMENT_INCOMPLETE";
}

/**
 * The process of a component. Name and version come from the recipe's `Setenv`, thing and region from the nucleus;
 * throws `EnvironmentIncomplete` where one is missing.
 */
export function componentProcess(environment: NodeJS.ProcessEnv = process.env): ComponentProcess {
  const wanted = (name: string, from: string): string => {
    const value = environment[name];
    if (value !== undefined && value !== "") return value;
    throw new EnvironmentIncomplete(
      `cannot start: the environment has no ${name}; ${from}, so run this as a Greengrass component`,
    );
  };
  return {
    componentName: wanted("COALMINE_COMPONENT", "the recipe sets it"),
    componentVersion: wanted("COALMINE_COMPONENT_VERSION", "the recipe sets it"),
    thingName: wanted("AWS_IOT_THING_NAME", "the nucleus sets it"),
    region: wanted("AWS_REGION", "the nucleus sets it"),
    environment: (name) => environment[name],
    memoryBytes: () => process.memoryUsage.rss(),
    fail: (reason) => {
      process.stderr.write(`the component fails: ${reason}\n`);
      process.exit(1);
    },
  };
}
