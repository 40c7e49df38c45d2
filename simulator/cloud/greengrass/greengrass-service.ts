import { createHash } from "node:crypto";
import type { Clock, Log, Random } from "@coalmine/ports";
import { isJsonObject, type JsonObject } from "@coalmine/recipe";
import { stringify } from "yaml";
import type { CloudEvents, Input, Output, Place, Service } from "../service.ts";
import type { Store } from "../store/store.ts";
import { componentArn, parseComponentArn, parseTargetArn, type DeploymentTarget } from "./arns.ts";
import { ComponentRegistry, type ReadObject, type StoredComponent } from "./component-registry.ts";
import { CoreDevices, type CoreDevice } from "./core-devices.ts";
import { readCreateDeployment } from "./deployment-input.ts";
import { deploymentOutput, deploymentSummary, effectiveOutput } from "./deployment-output.ts";
import { Deployments } from "./deployments.ts";
import { EffectiveDeployments } from "./effective-deployments.ts";
import { greengrassError } from "./errors.ts";
import type { JobsForDeployments, RegistryForDeployments, ShadowsForDeployments } from "./jobs-port.ts";
import { page } from "./paging.ts";
import { publicComponents } from "./public-components.ts";
import { serviceRoleOperations } from "./service-role.ts";
import { tagOperations } from "./tags.ts";

export interface GreengrassOptions {
  readonly store: Store;
  readonly place: Place;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly events: CloudEvents;
  readonly jobs: JobsForDeployments;
  readonly shadows: ShadowsForDeployments;
  readonly registry: RegistryForDeployments;
  /** The bytes of an S3 object; undefined or a `ServiceError` where there is none. */
  readonly readObject: ReadObject;
  /** Keeps a document that is too large for a job where devices can fetch it. */
  readonly writeObject: (bucket: string, key: string, bytes: Uint8Array) => Promise<void>;
}

/** The control plane of Greengrass v2. */
export class GreengrassService implements Service {
  readonly signingName = "greengrass";
  readonly operations: Service["operations"];
  readonly components: ComponentRegistry;
  readonly deployments: Deployments;
  readonly coreDevices: CoreDevices;
  readonly #effective: EffectiveDeployments;
  readonly #registry: RegistryForDeployments;
  readonly #place: Place;

  constructor(options: GreengrassOptions) {
    const { store, place, events } = options;
    this.#place = place;
    this.#registry = options.registry;
    this.components = new ComponentRegistry(options);
    const bucket = `greengrass-documents-${place.region}-${place.accountId}`;
    this.deployments = new Deployments({
      ...options,
      keepDocument: async (deploymentId, document) => {
        const bytes = Buffer.from(document, "utf8");
        const key = `${deploymentId}.json`;
        await options.writeObject(bucket, key, bytes);
        return { bucket, key, digest: createHash("sha256").update(bytes).digest("base64") };
      },
    });
    this.coreDevices = new CoreDevices(store);
    this.#effective = new EffectiveDeployments({ ...options, deployments: this.deployments });
    events.on((event) => {
      this.#effective.receive(event);
      const received = this.coreDevices.receive(event);
      if (received !== undefined)
        this.#effective.receiveStatus(received.thingName, received.status, event.at);
    });
    this.operations = {
      ...this.#componentOperations(),
      ...this.#deploymentOperations(),
      ...this.#deviceOperations(),
      ...tagOperations(this),
      ...serviceRoleOperations(store.table("greengrass-service-role"), options.clock),
    };
  }

  stop(): void {
    this.components.stop();
  }

  #componentOperations(): Service["operations"] {
    return {
      CreateComponentVersion: (input) => this.#createComponentVersion(input),
      DescribeComponent: (input) => this.#describeComponent(input),
      GetComponent: (input) => {
        const { document, stored } = this.components.find(input.arn);
        const format = input.recipeOutputFormat ?? "YAML";
        const text = format === "JSON" ? JSON.stringify(document) : stringify(document);
        return {
          recipeOutputFormat: format,
          recipe: Buffer.from(text, "utf8"),
          tags: stored?.tags ?? {},
        };
      },
      DeleteComponent: (input) => {
        const { account, name, version } = parseComponentArn(input.arn);
        if (account !== this.#place.accountId || version === undefined)
          throw greengrassError.notFound("COMPONENT", String(input.arn));
        this.components.delete(name, version);
        return {};
      },
      ListComponentVersions: (input) => {
        const { account, name } = parseComponentArn(input.arn);
        const own = this.components.versionsOf(name).map(({ arn, version }) => ({ arn, version }));
        const versions = account === "aws" ? this.#publicVersions(name) : own;
        const { items, ...rest } = page(versions, input);
        return {
          componentVersions: items.map(({ arn, version }) => ({
            componentName: name,
            componentVersion: version,
            arn,
          })),
          ...rest,
        };
      },
      ListComponents: (input) => this.#listComponents(input),
    };
  }

  #createComponentVersion(input: Input): Output {
    if (input.lambdaFunction !== undefined)
      throw greengrassError.validation("Lambda functions are not simulated: give inlineRecipe.");
    if (input.inlineRecipe === undefined)
      throw greengrassError.validation("inlineRecipe must be given.", "inlineRecipe");
    const text = Buffer.from(input.inlineRecipe).toString("utf8");
    const component = this.components.create(text, input.tags ?? {});
    return {
      arn: component.arn,
      componentName: component.name,
      componentVersion: component.version,
      creationTimestamp: component.createdAt,
      status: statusOf(component),
    };
  }

  #describeComponent(input: Input): Output {
    const found = this.components.find(input.arn);
    const { stored } = found;
    return {
      arn: found.arn,
      componentName: found.name,
      componentVersion: found.version,
      creationTimestamp: stored?.createdAt ?? 0,
      publisher: stored === undefined ? "AWS" : (stored.publisher ?? ""),
      description: stored?.description ?? textOf(found.document["ComponentDescription"]),
      status:
        stored === undefined
          ? { componentState: "DEPLOYABLE", message: "NONE", errors: {}, vendorGuidance: "ACTIVE" }
          : statusOf(stored),
      platforms: platformsOf(found.document),
      tags: stored?.tags ?? {},
    };
  }

  #publicVersions(name: string): { arn: string; version: string }[] {
    const versions = publicComponents.find((component) => component.name === name)?.versions ?? [];
    return versions
      .map((version) => ({ arn: componentArn(this.#place, "aws", name, version), version }))
      .reverse();
  }

  #listComponents(input: Input): Output {
    const listed: readonly object[] =
      input.scope === "PUBLIC"
        ? publicComponents.flatMap(({ name, versions }) => {
            const version = versions.at(-1);
            return version === undefined
              ? []
              : [
                  {
                    arn: componentArn(this.#place, "aws", name),
                    componentName: name,
                    latestVersion: {
                      arn: componentArn(this.#place, "aws", name, version),
                      componentVersion: version,
                      creationTimestamp: 0,
                      publisher: "AWS",
                    },
                  },
                ];
          })
        : this.components.latest().map((component) => ({
            arn: componentArn(this.#place, this.#place.accountId, component.name),
            componentName: component.name,
            latestVersion: {
              arn: component.arn,
              componentVersion: component.version,
              creationTimestamp: component.createdAt,
              description: component.description,
              publisher: component.publisher,
              platforms: platformsOf(component.document),
            },
          }));
    const { items, ...rest } = page(listed, input);
    return { components: items, ...rest };
  }

  #deploymentOperations(): Service["operations"] {
    return {
      CreateDeployment: (input) => this.#createDeployment(input),
      GetDeployment: (input) => {
        const deployment = this.deployments.find(input.deploymentId);
        return deploymentOutput(deployment, this.deployments.isLatest(deployment), this.#place);
      },
      ListDeployments: (input) => {
        const isLatestOnly = (input.historyFilter ?? "LATEST_ONLY") === "LATEST_ONLY";
        const chosen = this.deployments
          .all()
          .filter(
            (deployment) =>
              (input.targetArn === undefined || deployment.target.arn === input.targetArn) &&
              (input.parentTargetArn === undefined ||
                deployment.input.parentTargetArn === input.parentTargetArn) &&
              (!isLatestOnly || this.deployments.isLatest(deployment)),
          );
        const { items, ...rest } = page(chosen, input);
        return {
          deployments: items.map((deployment) =>
            deploymentSummary(deployment, this.deployments.isLatest(deployment)),
          ),
          ...rest,
        };
      },
      CancelDeployment: async (input) => {
        await this.deployments.cancel(String(input.deploymentId));
        return { message: `The deployment ${String(input.deploymentId)} is canceled.` };
      },
      DeleteDeployment: (input) => {
        this.deployments.delete(String(input.deploymentId));
        return {};
      },
    };
  }

  async #createDeployment(input: Input): Promise<Output> {
    const read = readCreateDeployment(input);
    const target = parseTargetArn(read.targetArn, this.#place);
    this.#requireTarget(target);
    if (read.parentTargetArn !== undefined)
      this.#requireTarget(parseTargetArn(read.parentTargetArn, this.#place));
    for (const [name, { componentVersion }] of Object.entries(read.components ?? {}))
      if (this.components.resolve(name, [`=${componentVersion}`]) === undefined)
        throw greengrassError.notFound(
          "COMPONENT",
          componentArn(this.#place, this.#place.accountId, name, componentVersion),
          `Component ${name} has no deployable version ${componentVersion}: create it, and wait until it is DEPLOYABLE.`,
        );
    const deployment = await this.deployments.create(target, read, (created) =>
      this.#effective.watch(created),
    );
    return {
      deploymentId: deployment.deploymentId,
      iotJobId: deployment.jobId,
      iotJobArn: `arn:aws:iot:${this.#place.region}:${this.#place.accountId}:job/${deployment.jobId}`,
    };
  }

  #requireTarget(target: DeploymentTarget): void {
    const exists =
      target.kind === "thing"
        ? this.#registry.hasThing(target.thingName)
        : this.#registry.hasThingGroup(target.thingGroupName);
    if (!exists)
      throw greengrassError.notFound(target.kind === "thing" ? "THING" : "THING_GROUP", target.arn);
  }

  #deviceOperations(): Service["operations"] {
    return {
      GetCoreDevice: (input) => {
        const device = this.coreDevice(input.coreDeviceThingName);
        return { ...deviceSummary(device), coreVersion: device.coreVersion, tags: device.tags };
      },
      ListCoreDevices: (input) => {
        const group: unknown = input.thingGroupArn;
        const chosen = this.coreDevices
          .all()
          .filter(
            (device) =>
              (input.status === undefined || device.status === input.status) &&
              (input.runtime === undefined || device.runtime === input.runtime) &&
              (group === undefined ||
                this.#registry.groupsOf(device.thingName).some((one) => one.thingGroupArn === group)),
          )
          .sort((a, b) => b.updatedAt - a.updatedAt);
        const { items, ...rest } = page(chosen, input);
        return { coreDevices: items.map(deviceSummary), ...rest };
      },
      DeleteCoreDevice: (input) => {
        this.coreDevices.delete(this.coreDevice(input.coreDeviceThingName).thingName);
        return {};
      },
      ListInstalledComponents: (input) => {
        const device = this.coreDevice(input.coreDeviceThingName);
        const isRootOnly = (input.topologyFilter ?? "ROOT") === "ROOT";
        const chosen = Object.values(device.components)
          .filter((component) => !isRootOnly || component.isRoot)
          .sort((a, b) => (a.name < b.name ? -1 : 1));
        const { items, ...rest } = page(chosen, input);
        return {
          installedComponents: items.map((component) => ({
            componentName: component.name,
            componentVersion: component.version,
            lifecycleState: component.state,
            lifecycleStateDetails: component.details,
            isRoot: component.isRoot,
            lastStatusChangeTimestamp: component.changedAt,
            lastReportedTimestamp: component.reportedAt,
            lastInstallationSource: this.#sourceOf(component.fleetConfigArns),
            lifecycleStatusCodes: component.statusCodes,
          })),
          ...rest,
        };
      },
      ListEffectiveDeployments: (input) => {
        const thingName = String(input.coreDeviceThingName);
        if (!this.#registry.hasThing(thingName)) throw greengrassError.notFound("CORE_DEVICE", thingName);
        const { items, ...rest } = page(this.#effective.of(thingName), input);
        return {
          effectiveDeployments: items.map((one) => effectiveOutput(one, this.#place)),
          ...rest,
        };
      },
    };
  }

  /** The last deployment that contains the component, or `LOCAL`. */
  #sourceOf(arns: readonly string[]): string {
    const deployments = arns.flatMap((arn) => this.deployments.byConfigurationArn(arn) ?? []);
    return deployments.sort((a, b) => b.createdAt - a.createdAt)[0]?.deploymentId ?? "LOCAL";
  }

  coreDevice(thingName: unknown): CoreDevice {
    const device = this.coreDevices.get(String(thingName));
    if (device === undefined) throw greengrassError.notFound("CORE_DEVICE", String(thingName));
    return device;
  }
}

function statusOf(component: StoredComponent): object {
  return {
    componentState: component.state,
    message: component.message,
    errors: component.errors,
    vendorGuidance: "ACTIVE",
  };
}

function deviceSummary(device: CoreDevice): object {
  return {
    coreDeviceThingName: device.thingName,
    status: device.status,
    lastStatusUpdateTimestamp: device.updatedAt,
    platform: device.platform,
    architecture: device.architecture,
    runtime: device.runtime,
  };
}

function platformsOf(document: JsonObject): object[] {
  const manifests = document["Manifests"];
  return (Array.isArray(manifests) ? manifests : []).flatMap((manifest) =>
    isJsonObject(manifest) && isJsonObject(manifest["Platform"])
      ? [
          {
            ...(manifest["Name"] === undefined ? {} : { name: manifest["Name"] }),
            attributes: manifest["Platform"],
          },
        ]
      : [],
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
