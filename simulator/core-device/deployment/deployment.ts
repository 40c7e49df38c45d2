import type { JsonValue } from "@coalmine/ports";
import * as z from "zod";

/** A deployment as it came: from a group by IoT Jobs, for this thing by its shadow, or from this device itself. */
export interface Deployment {
  /** The job's id, the configuration's ARN, or a UUID. */
  readonly id: string;
  readonly source: "IOT_JOBS" | "SHADOW" | "LOCAL";
  readonly document: JsonValue;
}

const DeploymentSchema = z.object({
  id: z.string(),
  source: z.enum(["IOT_JOBS", "SHADOW", "LOCAL"]),
  document: z.json(),
});

/**
 * The deployment that is being carried out, as the disk remembers it. From `bootstrapping` on the device is half
 * changed: a restart takes up the target or the snapshot that lie beside it.
 */
export const Ongoing = z.object({
  deployment: DeploymentSchema,
  stage: z.enum(["preparing", "bootstrapping", "activating", "merging", "rolling back"]),
  /** Components whose bootstrap step has still to run, in order. */
  bootstrap: z.array(z.string()).default([]),
  /** Whether the nucleus restarts in the course of this deployment, and with it for a rollback too. */
  restarts: z.boolean().default(false),
  obsolete: z.array(z.string()),
  brokenBefore: z.array(z.string()),
  failure: z
    .object({ cause: z.string(), errorStack: z.array(z.string()), errorTypes: z.array(z.string()) })
    .optional(),
});
export type Ongoing = z.infer<typeof Ongoing>;

/** `thinggroup/<name>` or `thing/<name>`, or LOCAL_DEPLOYMENT. */
export function groupOf(configurationArn: string, onBehalfOf: string | undefined): string {
  const arn = onBehalfOf ?? configurationArn;
  const resource = /:configuration:(.+):[^:]+$/.exec(arn)?.[1] ?? arn.split(":").at(-1);
  return resource ?? arn;
}

/** The folder of a deployment's files: its id with `:` and `/` made safe. */
export function folderOf(id: string): string {
  return `deployments/${id.replaceAll(":", ".").replaceAll("/", "+")}`;
}

/** Waiting deployments: in order of arrival, one by its id, and of the shadow's only the newest. */
export class DeploymentQueue {
  readonly #waiting = new Map<string, Deployment>();

  /** Replaces a waiting one of the same id, and any waiting one of the shadow by a newer of the shadow. */
  offer(deployment: Deployment): void {
    if (deployment.source === "SHADOW")
      for (const [id, waiting] of this.#waiting) if (waiting.source === "SHADOW") this.#waiting.delete(id);
    this.#waiting.set(deployment.id, deployment);
  }

  take(): Deployment | undefined {
    const [first] = this.#waiting.values();
    if (first !== undefined) this.#waiting.delete(first.id);
    return first;
  }

  withdraw(id: string): boolean {
    return this.#waiting.delete(id);
  }

  get size(): number {
    return this.#waiting.size;
  }
}
