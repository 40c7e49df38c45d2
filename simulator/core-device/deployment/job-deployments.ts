import type { Clock, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { CloudSession } from "../cloud/session.ts";
import { parseJson } from "../json.ts";
import type { DeviceRoot } from "../ports.ts";
import type { Deployment } from "./deployment.ts";
import type { DeploymentResult } from "./deployment-error.ts";
import type { DeploymentListener, DeploymentService } from "./deployment-service.ts";

/** An answer to a job update is waited for so long; then it is sent again. */
const OPERATION_MS = 30_000;
/** A status detail's value holds at most so many characters. */
const DETAIL_CHARACTERS_MAX = 1024;
/** So many jobs that were carried out are remembered, so that none runs twice. */
const PROCESSED_MAX = 100;
const FILE = "deployments/job-statuses.json";

const Execution = z.object({
  execution: z
    .object({
      jobId: z.string(),
      queuedAt: z.number().optional(),
      status: z.string(),
      jobDocument: z.json().optional(),
    })
    .optional(),
});
const Notify = z.object({ jobs: z.record(z.string(), z.array(z.object({ jobId: z.string() }))) });
const Kept = z.object({
  waiting: z.array(
    z.object({ jobId: z.string(), status: z.string(), statusDetails: z.record(z.string(), z.string()) }),
  ),
  processed: z.array(z.string()),
});
type JobStatus = z.infer<typeof Kept>["waiting"][number];

interface JobOptions {
  readonly thingName: string;
  readonly session: CloudSession;
  readonly clock: Clock;
  readonly log: Log;
  readonly root: DeviceRoot;
  readonly deployments: () => DeploymentService;
}

/** Deployments of thing groups: IoT Jobs over MQTT, in Greengrass's own namespace. */
export class JobDeployments implements DeploymentListener {
  readonly #options: JobOptions;
  readonly #prefix: string;
  readonly #next: string;
  #waiting: JobStatus[] = [];
  /** Job and time of queueing; a job that is announced again is not carried out again. */
  #processed: string[] = [];
  readonly #seen = new Map<string, string>();
  #sending = false;

  constructor(options: JobOptions) {
    this.#options = options;
    this.#prefix = `$aws/things/${options.thingName}/jobs`;
    this.#next = `${this.#prefix}/$next/namespace-aws-gg-deployment/get`;
  }

  /** Reads what was kept, and listens. */
  async start(): Promise<void> {
    const { session, root, log } = this.#options;
    const kept = Kept.safeParse(parseJson((await root.readText(FILE)) ?? ""));
    if (kept.success) {
      this.#waiting = kept.data.waiting;
      this.#processed = kept.data.processed;
    }
    session.want(`${this.#prefix}/notify-namespace-aws-gg-deployment`, (_, payload) =>
      this.#onNotify(payload),
    );
    session.want(`${this.#next}/accepted`, (_, payload) => this.#onNext(payload));
    session.want(`${this.#next}/rejected`, (_, payload) =>
      log.warn("IoT Jobs refused to tell the next job", { answer: new TextDecoder().decode(payload) }),
    );
    session.onConnected(() => {
      this.#askNext();
      void this.#send();
    });
  }

  async begun(deployment: Deployment): Promise<void> {
    if (deployment.source === "IOT_JOBS")
      await this.#report({ jobId: deployment.id, status: "IN_PROGRESS", statusDetails: {} });
  }

  async ended(deployment: Deployment, result: DeploymentResult): Promise<void> {
    // The cloud itself ends a job that it canceled.
    if (deployment.source !== "IOT_JOBS" || result.status === "CANCELED") return;
    const seen = this.#seen.get(deployment.id);
    if (seen !== undefined) this.#processed = [...this.#processed, seen].slice(-PROCESSED_MAX);
    await this.#report({ jobId: deployment.id, status: result.status, statusDetails: detailsOf(result) });
  }

  #askNext(): void {
    const { session, thingName, log } = this.#options;
    session
      .publish(this.#next, JSON.stringify({ thingName, jobId: "$next", includeJobDocument: true }))
      .catch((failure: unknown) => log.debug("could not ask for the next job", { why: messageOf(failure) }));
  }

  #onNotify(payload: Uint8Array): void {
    const notify = Notify.safeParse(parseJson(new TextDecoder().decode(payload)));
    if (!notify.success) return;
    const { jobs } = notify.data;
    const current = this.#options.deployments().current;
    if ((jobs["QUEUED"] ?? []).length > 0) this.#askNext();
    else if (Object.values(jobs).every((list) => list.length === 0) && current?.source === "IOT_JOBS")
      this.#options.deployments().cancel(current.id);
  }

  #onNext(payload: Uint8Array): void {
    const next = Execution.safeParse(parseJson(new TextDecoder().decode(payload)));
    const execution = next.success ? next.data.execution : undefined;
    if (execution?.jobDocument === undefined || !["QUEUED", "IN_PROGRESS"].includes(execution.status)) return;
    const { jobId } = execution;
    const key = `${jobId}@${execution.queuedAt ?? 0}`;
    if (this.#processed.includes(key) || this.#seen.get(jobId) === key) return;
    // The cloud does not know yet what has become of it.
    if (this.#waiting.some((status) => status.jobId === jobId)) return;
    this.#seen.set(jobId, key);
    this.#options.deployments().offer({ id: jobId, source: "IOT_JOBS", document: execution.jobDocument });
  }

  /** Durable before it is sent, and until the cloud has answered. */
  async #report(status: JobStatus): Promise<void> {
    this.#waiting.push(status);
    await this.#keep();
    void this.#send();
  }

  async #send(): Promise<void> {
    const { session, clock } = this.#options;
    if (this.#sending) return;
    this.#sending = true;
    try {
      for (
        let [status] = this.#waiting;
        status !== undefined && session.isConnected;
        [status] = this.#waiting
      ) {
        if (await this.#update(status)) {
          this.#waiting.shift();
          await this.#keep();
        } else if (session.isConnected) await clock.sleep(OPERATION_MS);
      }
    } finally {
      this.#sending = false;
    }
  }

  /** True when the cloud has answered; a refusal is an answer too. */
  async #update({ jobId, status, statusDetails }: JobStatus): Promise<boolean> {
    const { session, thingName, clock, log } = this.#options;
    const topic = `${this.#prefix}/${jobId}/namespace-aws-gg-deployment/update`;
    let answer: (accepted: boolean) => void = () => undefined;
    const answered = new Promise<boolean>((resolve) => (answer = resolve));
    const timer = clock.timer(OPERATION_MS, () => answer(false));
    const open: { close(): Promise<void> }[] = [];
    try {
      open.push(await session.subscribe(`${topic}/accepted`, 1, () => answer(true)));
      open.push(
        await session.subscribe(`${topic}/rejected`, 1, (_, payload) => {
          log.warn("IoT Jobs refused a status", { jobId, status, answer: new TextDecoder().decode(payload) });
          answer(true);
        }),
      );
      await session.publish(topic, JSON.stringify({ thingName, jobId, status, statusDetails }));
      return await answered;
    } catch (failure) {
      log.info("a job's status could not be sent yet", { jobId, status, why: messageOf(failure) });
      return false;
    } finally {
      timer.cancel();
      for (const subscription of open) await subscription.close();
    }
  }

  #keep(): Promise<void> {
    return this.#options.root.writeText(
      FILE,
      JSON.stringify({ waiting: this.#waiting, processed: this.#processed }),
    );
  }
}

function detailsOf({ detailedStatus, failure }: DeploymentResult): Record<string, string> {
  const details: Record<string, string> = {};
  if (detailedStatus !== undefined) details["detailed-deployment-status"] = detailedStatus;
  if (failure === undefined) return details;
  details["deployment-failure-cause"] = failure.cause;
  details["deployment-error-stack"] = JSON.stringify(failure.errorStack);
  details["deployment-error-types"] = JSON.stringify(failure.errorTypes);
  for (const [key, value] of Object.entries(details)) details[key] = value.slice(0, DETAIL_CHARACTERS_MAX);
  return details;
}
