import type { JsonObject } from "@coalmine/ports";
import { DrivenClock, SeededRandom } from "@coalmine/runtime";
import { ConfigurationTree } from "../configuration/tree.ts";
import { Services } from "../lifecycle/services.ts";
import { memoryRoot } from "./memory-root.ts";
import { ScriptedLauncher } from "./scripted-launcher.ts";

export const drain = (): Promise<void> => new Promise<void>((done) => setImmediate(done));

/** Components straight from a configuration tree, on a driven clock. */
export function servicesUnderTest() {
  const clock = new DrivenClock(Date.UTC(2026, 10, 23, 8), drain);
  const tree = new ConfigurationTree();
  const launcher = new ScriptedLauncher();
  const root = memoryRoot(clock);
  const states: string[] = [];
  const services = new Services({
    clock,
    random: new SeededRandom("services"),
    root,
    tree,
    launcher,
    surroundings: () => ({
      thingName: "T",
      region: "us-east-1",
      nucleusVersion: "2.18.0",
      rootPath: root.path,
      rootCaPath: undefined,
      credentialsUri: undefined,
      inherited: { PATH: "/opt/node:/bin" },
    }),
    builtIns: {},
    changed: (component, change) => states.push(`${component.name} ${change.to}`),
  });
  return {
    clock,
    tree,
    launcher,
    root,
    services,
    states,
    configure(name: string, lifecycle: JsonObject, more: JsonObject = {}) {
      tree.merge(["services", name], { version: "1.0.0", ...more }, clock.now());
      tree.merge(["services", name, "lifecycle"], lifecycle, clock.now());
    },
    run: (ms: number) => clock.runUntil(clock.now() + ms),
    stateOf: (name: string) => services.get(name)?.lifecycle.state,
  };
}
