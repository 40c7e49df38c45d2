import type { JsonObject, JsonValue, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { CloudSession } from "../cloud/session.ts";
import { isObject, parseJson, textMember } from "../json.ts";
import type { DeviceRoot } from "../ports.ts";
import type { Deployment } from "./deployment.ts";
import type { DeploymentResult } from "./deployment-error.ts";
import type { DeploymentListener, DeploymentService } from "./deployment-service.ts";

const SHADOW = "AWSManagedGreengrassV2Deployment";
const FILE = "deployments/shadow-status.json";

const ShadowDocument = z.object({
  version: z.number().optional(),
  state: z
    .object({
      desired: z
        .object({ fleetConfig: z.string().optional(), desiredStatus: z.string().optional() })
        .nullish(),
      reported: z
        .object({ fleetConfigurationArnForStatus: z.string().optional(), status: z.string().optional() })
        .nullish(),
    })
    .optional(),
});

interface ShadowOptions {
  readonly thingName: string;
  readonly nucleusVersion: string;
  readonly session: CloudSession;
  readonly log: Log;
  readonly root: DeviceRoot;
  readonly deployments: () => DeploymentService;
}

/** Deployments for this very thing: desired and reported state of a named shadow. */
export class ShadowDeployments implements DeploymentListener {
  readonly #options: ShadowOptions;
  readonly #prefix: string;
  #lastVersion = 0;
  #lastArn: string | undefined;
  /** What the cloud has not yet been seen to take. Only the newest matters. */
  #waiting: JsonObject | undefined;

  constructor(options: ShadowOptions) {
    this.#options = options;
    this.#prefix = `$aws/things/${options.thingName}/shadow/name/${SHADOW}`;
  }

  async start(): Promise<void> {
    const { session, root } = this.#options;
    const kept = parseJson((await root.readText(FILE)) ?? "");
    if (isObject(kept)) this.#waiting = kept;
    session.want(`${this.#prefix}/update/accepted`, (_, payload) => this.#onDocument(payload, false));
    session.want(`${this.#prefix}/update/rejected`, () => this.#get());
    session.want(`${this.#prefix}/get/accepted`, (_, payload) => this.#onDocument(payload, true));
    session.onConnected(() => this.#get());
  }

  async begun(deployment: Deployment): Promise<void> {
    await this.#report(deployment, "IN_PROGRESS", { failureCause: "", errorTypes: [], errorStack: [] });
  }

  async ended(deployment: Deployment, { status, detailedStatus, failure }: DeploymentResult): Promise<void> {
    await this.#report(deployment, status, {
      ...(detailedStatus === undefined ? {} : { detailedStatus }),
      failureCause: failure?.cause ?? "",
      errorStack: [...(failure?.errorStack ?? [])],
      errorTypes: [...(failure?.errorTypes ?? [])],
    });
  }

  #get(): void {
    this.#publish("get", { thingName: this.#options.thingName, shadowName: SHADOW });
  }

  #onDocument(payload: Uint8Array, whole: boolean): void {
    const parsed = ShadowDocument.safeParse(parseJson(new TextDecoder().decode(payload)));
    if (!parsed.success) return;
    const { version = this.#lastVersion, state } = parsed.data;
    if (version < this.#lastVersion) return;
    this.#lastVersion = version;
    const { desired, reported } = state ?? {};
    if (this.#isTaken(reported)) void this.#keep(undefined);
    else if (whole) this.#sendWaiting();
    if (typeof desired?.fleetConfig === "string" && desired.desiredStatus !== undefined)
      this.#onDesired(desired.fleetConfig, desired.desiredStatus, reported);
  }

  #onDesired(
    fleetConfig: string,
    desiredStatus: string,
    reported:
      | { fleetConfigurationArnForStatus?: string | undefined; status?: string | undefined }
      | null
      | undefined,
  ): void {
    const document: JsonValue | undefined = parseJson(fleetConfig);
    const arn = isObject(document) ? textMember(document, "configurationArn") : undefined;
    if (document === undefined || arn === undefined) {
      this.#options.log.warn("the shadow holds a deployment that cannot be read");
      return;
    }
    const deployments = this.#options.deployments();
    if (desiredStatus === "CANCELED") {
      deployments.cancel(arn);
      return;
    }
    if (this.#lastArn === arn) return;
    const isFirst = this.#lastArn === undefined;
    this.#lastArn = arn;
    // Seen for the first time, and done with before this process began.
    if (isFirst && reported?.fleetConfigurationArnForStatus === arn && reported.status !== "IN_PROGRESS")
      return;
    deployments.offer({ id: arn, source: "SHADOW", document });
  }

  async #report(deployment: Deployment, status: string, statusDetails: JsonObject): Promise<void> {
    if (deployment.source !== "SHADOW") return;
    const { nucleusVersion } = this.#options;
    await this.#keep({
      ggcVersion: nucleusVersion,
      fleetConfigurationArnForStatus: deployment.id,
      statusDetails,
      status,
    });
    this.#sendWaiting();
  }

  #isTaken(
    reported:
      | { fleetConfigurationArnForStatus?: string | undefined; status?: string | undefined }
      | null
      | undefined,
  ): boolean {
    const waiting = this.#waiting;
    return (
      waiting !== undefined &&
      reported?.status === waiting["status"] &&
      reported?.fleetConfigurationArnForStatus === waiting["fleetConfigurationArnForStatus"]
    );
  }

  #sendWaiting(): void {
    if (this.#waiting === undefined) return;
    const { thingName } = this.#options;
    const version = this.#lastVersion;
    this.#publish("update", { thingName, shadowName: SHADOW, state: { reported: this.#waiting }, version });
  }

  /** What is lost on the way is sent again after the next connection. */
  #publish(operation: string, payload: JsonObject): void {
    const { session, log } = this.#options;
    session
      .publish(`${this.#prefix}/${operation}`, JSON.stringify(payload))
      .catch((failure: unknown) =>
        log.debug("a shadow request was not sent", { operation, why: messageOf(failure) }),
      );
  }

  async #keep(waiting: JsonObject | undefined): Promise<void> {
    this.#waiting = waiting;
    await this.#options.root.writeText(FILE, JSON.stringify(waiting ?? null));
  }
}
