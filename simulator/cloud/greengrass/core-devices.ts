import type { Instant } from "@coalmine/ports";
import * as z from "zod";
import type { CloudEvent } from "../service.ts";
import type { Store, Table } from "../store/store.ts";

/** What a nucleus says on `$aws/things/T/greengrassv2/health/json`. */
const FleetStatus = z.object({
  ggcVersion: z.string().max(64),
  platform: z.string().max(64).optional(),
  architecture: z.string().max(64).optional(),
  runtime: z.string().max(64).optional(),
  thing: z.string(),
  overallDeviceStatus: z.enum(["HEALTHY", "UNHEALTHY"]),
  sequenceNumber: z.number(),
  timestamp: z.number(),
  messageType: z.enum(["COMPLETE", "PARTIAL"]),
  trigger: z.string(),
  chunkInfo: z.object({ chunkId: z.number(), totalChunks: z.number() }).nullish(),
  components: z
    .array(
      z.object({
        componentName: z.string().max(128),
        version: z.string().max(64).nullish(),
        fleetConfigArns: z.array(z.string()).nullish(),
        componentStatusDetails: z
          .object({ statusCodes: z.array(z.string()).nullish(), statusReason: z.string().nullish() })
          .nullish(),
        isRoot: z.boolean().nullish(),
        status: z.string(),
      }),
    )
    .max(2_000)
    .nullish(),
  deploymentInformation: z
    .object({
      status: z.string(),
      statusDetails: z
        .object({
          detailedStatus: z.string().nullish(),
          failureCause: z.string().nullish(),
          errorStack: z.array(z.string()).nullish(),
          errorTypes: z.array(z.string()).nullish(),
        })
        .nullish(),
      fleetConfigurationArnForStatus: z.string().nullish(),
    })
    .nullish(),
});
export type FleetStatus = z.infer<typeof FleetStatus>;

export interface InstalledComponent {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly details: string;
  readonly statusCodes: readonly string[];
  readonly isRoot: boolean;
  readonly changedAt: Instant;
  readonly reportedAt: Instant;
  readonly fleetConfigArns: readonly string[];
}

export interface CoreDevice {
  readonly thingName: string;
  readonly coreVersion: string;
  readonly platform: string | undefined;
  readonly architecture: string | undefined;
  readonly runtime: string;
  readonly status: "HEALTHY" | "UNHEALTHY";
  readonly updatedAt: Instant;
  /** The last COMPLETE message: its further chunks add to it. */
  readonly completeSequence: number | undefined;
  readonly components: Readonly<Record<string, InstalledComponent>>;
  readonly tags: Readonly<Record<string, string>>;
}

const COMPONENTS_MAX = 2_000;
const topic = /^\$aws\/things\/([^/]+)\/greengrassv2\/health\/json$/;
const lifecycleStates = new Set([
  "NEW",
  "INSTALLED",
  "STARTING",
  "RUNNING",
  "STOPPING",
  "ERRORED",
  "BROKEN",
  "FINISHED",
]);

/** The fleet as its own status messages tell it. A device that goes quiet keeps what it said last. */
export class CoreDevices {
  readonly #devices: Table<CoreDevice>;

  constructor(store: Store) {
    this.#devices = store.table("greengrass/core-devices");
  }

  get(thingName: string): CoreDevice | undefined {
    return this.#devices.get(thingName);
  }

  all(): readonly CoreDevice[] {
    return [...this.#devices.entries()].map(([, device]) => device);
  }

  delete(thingName: string): void {
    this.#devices.delete(thingName);
  }

  setTags(device: CoreDevice, tags: Readonly<Record<string, string>>): void {
    this.#devices.set(device.thingName, { ...device, tags });
  }

  /** Takes a status message in; gives it back parsed where it is one. What cannot be read is passed over, as AWS does. */
  receive(event: CloudEvent): { thingName: string; status: FleetStatus } | undefined {
    if (event.kind !== "mqtt-message") return undefined;
    const thingName = topic.exec(event.topic)?.[1];
    if (thingName === undefined) return undefined;
    const status = readStatus(event.payload);
    if (status === undefined || status.thing !== thingName) return undefined;
    this.#devices.set(thingName, this.#withStatus(thingName, status, event.at));
    return { thingName, status };
  }

  #withStatus(thingName: string, status: FleetStatus, at: Instant): CoreDevice {
    const before = this.get(thingName);
    const isFurtherChunk =
      (status.chunkInfo?.chunkId ?? 1) > 1 && before?.completeSequence === status.sequenceNumber;
    const startsAnew = status.messageType === "COMPLETE" && !isFurtherChunk;
    const components: Record<string, InstalledComponent> = startsAnew ? {} : { ...before?.components };
    for (const component of status.components ?? []) {
      const { componentName: name, version } = component;
      // The nucleus lists its own inner services without a version; AWS does not show them.
      if (version === undefined || version === null) continue;
      if (!lifecycleStates.has(component.status)) {
        delete components[name];
        continue;
      }
      const known = before?.components[name];
      const isSame = known?.state === component.status && known.version === version;
      components[name] = {
        name,
        version,
        state: component.status,
        details: component.componentStatusDetails?.statusReason ?? "",
        statusCodes: component.componentStatusDetails?.statusCodes ?? [],
        isRoot: component.isRoot ?? false,
        changedAt: isSame ? known.changedAt : status.timestamp,
        reportedAt: status.timestamp,
        fleetConfigArns: component.fleetConfigArns ?? [],
      };
      if (Object.keys(components).length >= COMPONENTS_MAX) break;
    }
    return {
      thingName,
      coreVersion: status.ggcVersion,
      platform: status.platform,
      architecture: status.architecture,
      runtime: status.runtime ?? "aws_nucleus_classic",
      status: status.overallDeviceStatus,
      updatedAt: at,
      completeSequence: status.messageType === "COMPLETE" ? status.sequenceNumber : before?.completeSequence,
      components,
      tags: before?.tags ?? {},
    };
  }
}

function readStatus(payload: Uint8Array): FleetStatus | undefined {
  try {
    const json: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
    return FleetStatus.safeParse(json).data;
  } catch {
    return undefined;
  }
}
