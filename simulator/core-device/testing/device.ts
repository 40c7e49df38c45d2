import type { JsonObject } from "@coalmine/ports";
import { DrivenClock, SeededRandom, silentLog } from "@coalmine/runtime";
import { CoreDevice, type DeviceEvent } from "../core-device.ts";
import type { HostedRoot } from "../hosted/hosted-root.ts";
import type { LocalFolder, SystemMetrics } from "../ports.ts";
import type { SecretEnd } from "../secrets/secret-manager.ts";
import { MemoryCloud } from "./memory-cloud.ts";
import { memoryRoot } from "./memory-root.ts";
import { ScriptedLauncher, type Behaviour } from "./scripted-launcher.ts";
import { drain } from "./services.ts";

export const START = Date.UTC(2026, 10, 23, 8);

interface Surroundings {
  readonly cloud?: MemoryCloud;
  readonly root?: HostedRoot;
  readonly clock?: DrivenClock;
  /** Programs of the machine beyond the launcher's own. */
  readonly programs?: (clock: DrivenClock) => Record<string, Behaviour>;
  readonly secrets?: SecretEnd;
  readonly localFolder?: LocalFolder;
  readonly nucleusConfiguration?: JsonObject;
  readonly systemMetrics?: SystemMetrics;
}

/** A device on a driven clock with its own cloud, and a second process on the same disk whenever one asks for it. */
export async function deviceUnderTest(options: Surroundings = {}) {
  const clock = options.clock ?? new DrivenClock(START, drain);
  const cloud = options.cloud ?? new MemoryCloud();
  const root = options.root ?? memoryRoot(clock);
  const launcher = new ScriptedLauncher();
  for (const [name, behaviour] of Object.entries(options.programs?.(clock) ?? {}))
    launcher.programs.set(name, behaviour);
  const events: DeviceEvent[] = [];
  const device = new CoreDevice({
    thingName: "T",
    region: "us-east-1",
    clock,
    random: new SeededRandom("device"),
    root,
    cloudLink: cloud,
    dataPlane: cloud,
    launcher,
    platform: { os: "linux", architecture: "amd64" },
    nucleusVersion: "2.18.0",
    environment: { PATH: "/usr/bin" },
    log: silentLog,
    ...(options.secrets === undefined ? {} : { secrets: options.secrets }),
    ...(options.systemMetrics === undefined ? {} : { systemMetrics: options.systemMetrics }),
    ...(options.localFolder === undefined ? {} : { localFolder: options.localFolder }),
    nucleusConfiguration: {
      iotRoleAlias: "Alias",
      deploymentPollingFrequencySeconds: 1,
      ...options.nucleusConfiguration,
    },
  });
  device.watch((event) => events.push(event));
  await device.start();
  await clock.settle();
  return {
    clock,
    cloud,
    root,
    launcher,
    device,
    events,
    run: (ms: number) => clock.runUntil(clock.now() + ms),
    stateOf: (name: string) => device.components().find((component) => component.name === name)?.state,
    versionOf: (name: string) => device.components().find((component) => component.name === name)?.version,
    restarted: () => deviceUnderTest({ ...options, clock, cloud, root }),
  };
}

/** A deployment document to the group `fleet`, as the cloud writes it. */
export function groupDocument(
  revision: number,
  components: JsonObject,
  more: JsonObject = {},
  group = "fleet",
): JsonObject {
  return document(`thinggroup/${group}`, revision, components, more);
}

export function thingDocument(revision: number, components: JsonObject, more: JsonObject = {}): JsonObject {
  return document("thing/T", revision, components, more);
}

function document(target: string, revision: number, components: JsonObject, more: JsonObject): JsonObject {
  return {
    deploymentId: `deployment-${target}-${revision}`,
    configurationArn: `arn:aws:greengrass:us-east-1:123456789012:configuration:${target}:${revision}`,
    creationTimestamp: START + revision,
    components,
    failureHandlingPolicy: "ROLLBACK",
    componentUpdatePolicy: { timeout: 60, action: "NOTIFY_COMPONENTS" },
    configurationValidationPolicy: { timeout: 60 },
    ...more,
  };
}
