import { createHash } from "node:crypto";
import type { JsonObject } from "@coalmine/ports";
import * as z from "zod";
import { textMember } from "../json.ts";
import { topicMatches } from "../cloud/topic-filter.ts";
import { DataPlaneError, type CloudLink, type DataPlane } from "../ports.ts";

const SHADOW = "AWSManagedGreengrassV2Deployment";
type Handlers = Parameters<CloudLink["start"]>[0];

const Update = z.object({ state: z.object({ reported: z.record(z.string(), z.json()) }) });

interface Job {
  readonly jobId: string;
  readonly jobDocument: JsonObject;
  status: string;
}

/** A cloud for one thing: enough of IoT Core, IoT Jobs, shadows and the data plane to deploy to it, all in memory. */
export class MemoryCloud implements CloudLink, DataPlane {
  readonly thing = "T";
  /** Everything the device published, in order. */
  readonly published: { topic: string; payload: JsonObject }[] = [];
  readonly resolveRequests: Parameters<DataPlane["resolveComponentCandidates"]>[0][] = [];
  readonly jobs: Job[] = [];
  readonly downloads: string[] = [];
  groups = ["fleet"];
  online = true;
  readonly #recipes = new Map<string, JsonObject>();
  readonly #objects = new Map<string, Uint8Array>();
  #handlers: Handlers | undefined;
  #filters = new Set<string>();
  #session = false;
  #shadow: { desired: JsonObject; reported: JsonObject; version: number } = {
    desired: {},
    reported: {},
    version: 0,
  };

  // What a test does in the cloud.

  addComponent(
    name: string,
    version: string,
    recipe: JsonObject,
    artifacts: Record<string, Uint8Array> = {},
  ): void {
    const declared = Object.entries(artifacts).map(([file, bytes]) => {
      this.#objects.set(`https://objects/${name}/${version}/${file}`, bytes);
      return {
        Uri: `greengrass:${file}`,
        Unarchive: file.endsWith(".zip") ? "ZIP" : "NONE",
        Digest: createHash("sha256").update(bytes).digest("base64"),
        Algorithm: "SHA-256",
      };
    });
    this.#recipes.set(`${name}@${version}`, {
      RecipeFormatVersion: "2020-01-25",
      ComponentName: name,
      ComponentVersion: version,
      // AWS's own components are parts of the device.
      ...(name.startsWith("aws.greengrass.")
        ? { ComponentType: name.endsWith(".Nucleus") ? "aws.greengrass.nucleus" : "aws.greengrass.plugin" }
        : {}),
      Manifests: [{ Lifecycle: recipe["Lifecycle"] ?? {}, Artifacts: declared }],
      ...(recipe["Configuration"] === undefined
        ? {}
        : { ComponentConfiguration: { DefaultConfiguration: recipe["Configuration"] } }),
      ...(recipe["Manifests"] === undefined ? {} : { Manifests: recipe["Manifests"] }),
      ...(recipe["Dependencies"] === undefined ? {} : { ComponentDependencies: recipe["Dependencies"] }),
    });
  }

  spoil(name: string, version: string, file: string): void {
    this.#objects.set(`https://objects/${name}/${version}/${file}`, new Uint8Array([1]));
  }

  deployJob(jobId: string, document: JsonObject): void {
    this.jobs.push({ jobId, jobDocument: document, status: "QUEUED" });
    this.#notify();
  }

  cancelJob(jobId: string): void {
    const job = this.jobs.find((known) => known.jobId === jobId);
    if (job !== undefined) job.status = "CANCELED";
    this.#notify();
  }

  deployShadow(document: JsonObject, desiredStatus = "SUCCEEDED"): void {
    this.#shadow.desired = { fleetConfig: JSON.stringify(document), desiredStatus };
    this.#shadow.version++;
    this.#send(`${this.#shadowTopic}/update/accepted`, {
      state: { desired: this.#shadow.desired },
      version: this.#shadow.version,
    });
  }

  get reported(): JsonObject {
    return this.#shadow.reported;
  }

  /** Cuts the network; `sessionPresent` says whether the broker kept the session until it comes back. */
  disconnect(): void {
    this.online = false;
    this.#handlers?.disconnected("the network is down");
  }
  connect(sessionPresent = this.#session): void {
    this.online = true;
    if (!sessionPresent) this.#filters = new Set();
    this.#session = true;
    this.#handlers?.connected(sessionPresent);
  }

  /** What the device told of one job or of the shadow: `STATUS/detailed`. */
  statusesOf(jobId: string): JsonObject[] {
    return this.published
      .filter(({ topic }) => topic.endsWith(`/jobs/${jobId}/namespace-aws-gg-deployment/update`))
      .map(({ payload }) => payload);
  }
  fleetStatuses(): JsonObject[] {
    return this.published
      .filter(({ topic }) => topic.endsWith("/greengrassv2/health/json"))
      .map(({ payload }) => payload);
  }

  // CloudLink

  start(handlers: Handlers): void {
    this.#handlers = handlers;
    if (this.online) this.connect(false);
  }
  async publish(topic: string, payload: Uint8Array): Promise<void> {
    if (!this.online) throw new Error("the network is down");
    const json: JsonObject = JSON.parse(new TextDecoder().decode(payload));
    this.published.push({ topic, payload: json });
    this.#serve(topic, json);
  }
  async subscribe(filter: string): Promise<void> {
    if (!this.online) throw new Error("the network is down");
    this.#filters.add(filter);
  }
  async unsubscribe(filter: string): Promise<void> {
    this.#filters.delete(filter);
  }
  async stop(): Promise<void> {
    this.#handlers = undefined;
  }

  /** A message from the cloud; lost where the device is not subscribed. */
  message(topic: string, payload: JsonObject): void {
    this.#send(topic, payload);
  }

  // DataPlane

  async resolveComponentCandidates(request: Parameters<DataPlane["resolveComponentCandidates"]>[0]) {
    this.#mustBeOnline();
    this.resolveRequests.push(request);
    const [candidate] = request.componentCandidates;
    const wanted = Object.values(candidate?.versionRequirements ?? {});
    const { maxSatisfying } = await import("@coalmine/recipe");
    const name = candidate?.componentName ?? "";
    const versions = [...this.#recipes.keys()]
      .filter((key) => key.startsWith(`${name}@`))
      .map((key) => key.split("@")[1] ?? "");
    const componentVersion = maxSatisfying(versions, wanted);
    if (componentVersion === undefined) throw new DataPlaneError(404, "no usable version");
    const recipe = Buffer.from(JSON.stringify(this.#recipes.get(`${name}@${componentVersion}`))).toString(
      "base64",
    );
    const arn = `arn:aws:greengrass:us-east-1:123456789012:components:${name}:versions:${componentVersion}`;
    return { resolvedComponentVersions: [{ arn, componentName: name, componentVersion, recipe }] };
  }
  async getComponentVersionArtifact(arn: string, artifactName: string): Promise<{ preSignedUrl: string }> {
    this.#mustBeOnline();
    const [, name, version] = /components:(.+):versions:(.+)$/.exec(arn) ?? [];
    return { preSignedUrl: `https://objects/${name}/${version}/${artifactName}` };
  }
  async listThingGroupsForCoreDevice(): Promise<{ thingGroupName: string }[]> {
    this.#mustBeOnline();
    return this.groups.map((thingGroupName) => ({ thingGroupName }));
  }
  async getDeploymentConfiguration(): Promise<never> {
    throw new DataPlaneError(404, "no such deployment");
  }
  credentials = {
    accessKeyId: "AKIA",
    secretAccessKey: "secret",
    sessionToken: "token",
    expiration: "2026-11-23T09:00:00Z",
  };
  credentialStatus = 200;
  credentialRequests = 0;
  async getCredentials() {
    this.credentialRequests++;
    this.#mustBeOnline();
    if (this.credentialStatus !== 200) throw new DataPlaneError(this.credentialStatus, "refused");
    return this.credentials;
  }
  /** `s3://refused/STATUS` is refused with that status. */
  async download(url: string): Promise<Uint8Array> {
    this.#mustBeOnline();
    this.downloads.push(url);
    const bytes = this.#objects.get(url);
    const refused = Number(/^s3:\/\/refused\/(\d+)$/.exec(url)?.[1] ?? 404);
    if (bytes === undefined) throw new DataPlaneError(refused, "no such object");
    return bytes;
  }

  #mustBeOnline(): void {
    if (!this.online) throw new DataPlaneError(0, "the network is down");
  }

  get #shadowTopic(): string {
    return `$aws/things/${this.thing}/shadow/name/${SHADOW}`;
  }
  #notify(): void {
    const jobs: JsonObject = {};
    for (const status of ["IN_PROGRESS", "QUEUED"]) {
      const such = this.jobs.filter((job) => job.status === status);
      if (such.length > 0) jobs[status] = such.map(({ jobId }) => ({ jobId, queuedAt: 1 }));
    }
    this.#send(`$aws/things/${this.thing}/jobs/notify-namespace-aws-gg-deployment`, { timestamp: 1, jobs });
  }
  #send(topic: string, payload: JsonObject): void {
    if (!this.online || ![...this.#filters].some((filter) => topicMatches(filter, topic))) return;
    this.#handlers?.message(topic, new TextEncoder().encode(JSON.stringify(payload)), {
      retain: false,
      payloadFormat: "0",
    });
  }
  #serve(topic: string, payload: JsonObject): void {
    const [, jobId] = /\/jobs\/([^/]+)\/namespace-aws-gg-deployment\/(?:get|update)$/.exec(topic) ?? [];
    if (jobId === "$next") {
      const next =
        this.jobs.find((job) => job.status === "IN_PROGRESS") ??
        this.jobs.find((job) => job.status === "QUEUED");
      const execution = next === undefined ? {} : { execution: { ...next, queuedAt: 1 } };
      this.#send(`${topic}/accepted`, { timestamp: 1, ...execution });
    } else if (jobId !== undefined) {
      const job = this.jobs.find((known) => known.jobId === jobId);
      if (job !== undefined) job.status = textMember(payload, "status") ?? job.status;
      this.#send(`${topic}/accepted`, { timestamp: 1 });
      if (job?.status !== "IN_PROGRESS") this.#notify();
    } else if (topic === `${this.#shadowTopic}/get`) {
      const { desired, reported, version } = this.#shadow;
      if (version > 0) this.#send(`${topic}/accepted`, { state: { desired, reported }, version });
    } else if (topic === `${this.#shadowTopic}/update`) {
      if (payload["version"] !== this.#shadow.version) {
        this.#send(`${topic}/rejected`, { code: 409, message: "Version conflict" });
        return;
      }
      const { state } = Update.parse(payload);
      this.#shadow.reported = state.reported;
      this.#shadow.version++;
      this.#send(`${topic}/accepted`, { state, version: this.#shadow.version });
    }
  }
}
