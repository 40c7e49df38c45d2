import type { Clock, JsonObject, JsonValue, Log, Random } from "@coalmine/ports";
import { parseDeploymentDocument, parseRecipe, type DeploymentDocument } from "@coalmine/recipe";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { uuid } from "../../cloud/uuid.ts";
import type { ConfigurationTree } from "../configuration/tree.ts";
import { isObject } from "../json.ts";
import type { DeviceRoot, LocalFolder } from "../ports.ts";
import { artifactFolder, type ComponentStore } from "../store/component-store.ts";
import type { Deployment } from "./deployment.ts";
import { DeploymentError, type DeploymentResult } from "./deployment-error.ts";
import type { DeploymentListener, DeploymentService } from "./deployment-service.ts";
import { GroupRecords, LOCAL_GROUP } from "./group-records.ts";

/** Ours: so many of the last deployments are told of. */
const REMEMBERED_MAX = 50;
const KEPT = ["services", "aws.greengrass.Cli", "runtime", "local-deployments"];

/** What a local deployment asks for; the roots that stay are added when its turn comes. */
const LocalRequest = z.object({
  groupName: z.string(),
  requestTimestampMs: z.number(),
  add: z.record(z.string(), z.string()),
  remove: z.array(z.string()),
  configuration: z.record(z.string(), z.object({ merge: z.json().optional(), reset: z.json().optional() })),
  runWith: z.record(z.string(), z.json()),
  recipeDirectoryPath: z.string(),
  artifactsDirectoryPath: z.string(),
  failureHandlingPolicy: z.enum(["ROLLBACK", "DO_NOTHING"]),
});
export type LocalRequest = z.infer<typeof LocalRequest>;

const Kept = z.object({
  status: z.enum(["QUEUED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "CANCELED"]),
  createdOnMs: z.number(),
  details: z.json().optional(),
});
export type LocalStatus = z.infer<typeof Kept>;

interface LocalOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly tree: ConfigurationTree;
  readonly root: DeviceRoot;
  readonly store: ComponentStore;
  readonly localFolder: LocalFolder | undefined;
  readonly deployments: () => DeploymentService;
}

/** Deployments that this device is given by a client of its own command line. */
export class LocalDeployments implements DeploymentListener {
  readonly #options: LocalOptions;
  readonly #records: GroupRecords;

  constructor(options: LocalOptions) {
    this.#options = options;
    this.#records = new GroupRecords(options.tree);
  }

  /** Queues the deployment, and gives its id. */
  create(request: Omit<LocalRequest, "requestTimestampMs" | "groupName"> & { groupName?: string }): string {
    const { random, clock } = this.#options;
    const id = uuid(random);
    const document: LocalRequest = {
      ...request,
      groupName: request.groupName ?? LOCAL_GROUP,
      requestTimestampMs: clock.now(),
    };
    this.#keep(id, { status: "QUEUED", createdOnMs: clock.now() });
    this.#options.deployments().offer({ id, source: "LOCAL", document: z.json().parse(document) });
    return id;
  }

  /** True where the device had not begun to change. */
  cancel(id: string): boolean {
    const outcome = this.#options.deployments().cancel(id);
    if (outcome === "withdrawn") this.#keep(id, { ...this.#known(id), status: "CANCELED" });
    return outcome !== "too late";
  }

  status(id: string): LocalStatus | undefined {
    return Kept.safeParse(this.#options.tree.get([...KEPT, id])).data;
  }

  /** The newest first. */
  all(): readonly (readonly [string, LocalStatus])[] {
    return Object.keys(this.#options.tree.getObject(KEPT))
      .flatMap((id) => {
        const status = this.status(id);
        return status === undefined ? [] : [[id, status] as const];
      })
      .toSorted(([, a], [, b]) => b.createdOnMs - a.createdOnMs);
  }

  /** Brings recipes and artifacts into the store, and says what the device is to be. */
  async documentOf({ id, document }: Deployment): Promise<DeploymentDocument> {
    const request = LocalRequest.parse(document);
    await this.#takeRecipes(request.recipeDirectoryPath);
    await this.#takeArtifacts(request.artifactsDirectoryPath);
    return this.document({ id, source: "LOCAL", document });
  }

  /** The present roots of its group, with what is added and without what is removed. */
  document({ id, document }: Deployment): DeploymentDocument {
    const request = LocalRequest.parse(document);
    const versions = new Map(
      this.#records.rootsOf(request.groupName).map(({ component, version }) => [component, version]),
    );
    for (const name of request.remove) versions.delete(name);
    for (const [name, version] of Object.entries(request.add)) versions.set(name, version);
    const components: JsonObject = {};
    for (const [name, version] of versions) {
      const update = request.configuration[name];
      const runWith = request.runWith[name];
      components[name] = {
        version,
        ...(update === undefined
          ? {}
          : { configurationUpdate: { merge: update.merge ?? null, reset: update.reset ?? null } }),
        ...(runWith === undefined ? {} : { runWith }),
      };
    }
    return parseDeploymentDocument({
      deploymentId: id,
      configurationArn: request.groupName,
      creationTimestamp: request.requestTimestampMs,
      components,
      failureHandlingPolicy: request.failureHandlingPolicy,
      componentUpdatePolicy: { timeout: 0, action: "SKIP_NOTIFY_COMPONENTS" },
    });
  }

  async begun(deployment: Deployment): Promise<void> {
    if (deployment.source === "LOCAL")
      this.#keep(deployment.id, { ...this.#known(deployment.id), status: "IN_PROGRESS" });
  }

  async ended(deployment: Deployment, { status, detailedStatus, failure }: DeploymentResult): Promise<void> {
    if (deployment.source !== "LOCAL") return;
    const details: JsonObject = {
      ...(detailedStatus === undefined ? {} : { detailedDeploymentStatus: detailedStatus }),
      ...(failure === undefined
        ? {}
        : {
            deploymentErrorStack: [...failure.errorStack],
            deploymentErrorTypes: [...failure.errorTypes],
            deploymentFailureCause: failure.cause,
          }),
    };
    const told = status === "REJECTED" ? "FAILED" : status;
    this.#keep(deployment.id, { ...this.#known(deployment.id), status: told, details });
  }

  #known(id: string): LocalStatus {
    return this.status(id) ?? { status: "QUEUED", createdOnMs: this.#options.clock.now() };
  }

  #keep(id: string, status: LocalStatus): void {
    const { tree, clock } = this.#options;
    tree.set([...KEPT, id], z.json().parse(status), clock.now());
    for (const [old] of this.all().slice(REMEMBERED_MAX)) tree.remove([...KEPT, old], clock.now());
  }

  async #takeRecipes(folder: string): Promise<void> {
    for (const { path, bytes } of await this.#files(folder)) {
      if (!/\.(json|ya?ml)$/i.test(path)) continue;
      const text = new TextDecoder().decode(await bytes());
      if (text === "") continue;
      try {
        const recipe = parseRecipe(text, `${folder}/${path}`);
        await this.#options.store.save(recipe.componentName, recipe.componentVersion, text, undefined);
      } catch (failure) {
        throw new DeploymentError(["RECIPE_PARSE_ERROR"], messageOf(failure));
      }
    }
  }

  /** `<component>/<version>/<file>`; anything that lies elsewhere is nobody's. */
  async #takeArtifacts(folder: string): Promise<void> {
    const everybody = { read: "ALL", execute: "ALL" } as const;
    for (const { path, bytes } of await this.#files(folder)) {
      const [, name, version, file] = /^([^/]+)\/([^/]+)\/(.+)$/.exec(path) ?? [];
      if (name === undefined || version === undefined || file === undefined) continue;
      const at = `${artifactFolder(name, version)}/${file}`;
      await this.#options.root.writeArtifact(at, await bytes(), everybody);
    }
  }

  async #files(folder: string): ReturnType<LocalFolder> {
    if (folder === "") return [];
    const { localFolder } = this.#options;
    try {
      if (localFolder === undefined) throw new Error("this device has no folders beside its root");
      return await localFolder(folder);
    } catch (failure) {
      throw new DeploymentError(["IO_READ_ERROR"], `cannot read ${folder}: ${messageOf(failure)}`);
    }
  }
}

/** What a request says for a component: `MERGE` and `RESET`, and nothing else. */
export function configurationUpdate(given: JsonObject): { merge?: JsonValue; reset?: JsonValue } | undefined {
  const { MERGE: merge, RESET: reset, ...others } = given;
  const isReadable =
    Object.keys(others).length === 0 &&
    (merge === undefined || isObject(merge)) &&
    (reset === undefined || (Array.isArray(reset) && reset.every((item) => typeof item === "string")));
  if (!isReadable) return undefined;
  return { ...(merge === undefined ? {} : { merge }), ...(reset === undefined ? {} : { reset }) };
}
