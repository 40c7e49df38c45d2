import type { Clock, Instant } from "@coalmine/ports";
import * as z from "zod";
import { iotArn, nameInArn } from "../iot/arn.ts";
import { notFound, onlyGiven, operation, page, PageInput, parsed } from "../iot/operation.ts";
import { type Operation, type Place, ServiceError } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { documentOf, type ReadObject } from "./document-source.ts";
import type { Job } from "./job.ts";
import { JobConfigs, JobDocument } from "./job-input.ts";
import { MaintenanceWindows } from "./schedule.ts";

const JobTemplate = z.object({
  jobTemplateId: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
  description: z.string().max(2028),
  document: JobDocument,
  documentSource: z.string().max(1350).nullish(),
  maintenanceWindows: MaintenanceWindows.nullish(),
  ...JobConfigs,
});
type JobTemplate = z.infer<typeof JobTemplate>;

const TemplateOnly = JobTemplate.pick({ jobTemplateId: true });
const Creation = JobTemplate.extend({ document: z.string().nullish(), jobArn: z.string().nullish() });
const FromJob = JobTemplate.pick({ document: true }).extend(JobConfigs);

/** What jobs are made from again and again. */
export class JobTemplates {
  readonly #table: Table<JobTemplate & { readonly createdAt: Instant }>;
  readonly #clock: Clock;
  readonly #place: Place;

  constructor(options: { readonly store: Store; readonly clock: Clock; readonly place: Place }) {
    this.#table = options.store.table("iot-job-templates");
    this.#clock = options.clock;
    this.#place = options.place;
  }

  /** What a job of that template begins with. */
  jobFrom(jobTemplateArn: string) {
    const template = this.#get(nameInArn(jobTemplateArn, "jobtemplate") ?? jobTemplateArn);
    const { maintenanceWindows, description, document } = template;
    const { jobExecutionsRolloutConfig, abortConfig, timeoutConfig, jobExecutionsRetryConfig } = template;
    return {
      description,
      document,
      jobExecutionsRolloutConfig,
      abortConfig,
      timeoutConfig,
      jobExecutionsRetryConfig,
      ...(maintenanceWindows ? { schedulingConfig: { maintenanceWindows } } : {}),
    };
  }

  operations(readObject: ReadObject, jobOf: (jobId: string) => Job): Record<string, Operation> {
    const named = (jobTemplateId: string) => ({
      jobTemplateId,
      jobTemplateArn: iotArn(this.#place, "jobtemplate", jobTemplateId),
    });
    return {
      CreateJobTemplate: operation(Creation, async ({ jobArn, ...input }) => {
        const { jobTemplateId } = input;
        const like =
          typeof jobArn === "string"
            ? FromJob.parse(jobOf(nameInArn(jobArn, "job") ?? jobArn))
            : { document: await documentOf(input, readObject) };
        if (this.#table.get(jobTemplateId) !== undefined)
          throw new ServiceError("ConflictException", 409, `Job template ${jobTemplateId} exists already.`, {
            resourceId: jobTemplateId,
          });
        const template = parsed(JobTemplate, { ...like, ...onlyGiven(input) });
        this.#table.set(jobTemplateId, { ...template, createdAt: this.#clock.now() });
        return named(jobTemplateId);
      }),
      DescribeJobTemplate: operation(TemplateOnly, ({ jobTemplateId }) => {
        const template = this.#get(jobTemplateId);
        return { ...template, ...named(jobTemplateId), createdAt: new Date(template.createdAt) };
      }),
      ListJobTemplates: operation(z.object(PageInput), (input) => {
        const { items, nextToken } = page(this.#table.entries(), ([id]) => id, input);
        const jobTemplates = items.map(([id, { description, createdAt }]) => ({
          ...named(id),
          description,
          createdAt: new Date(createdAt),
        }));
        return { jobTemplates, nextToken };
      }),
      DeleteJobTemplate: operation(TemplateOnly, ({ jobTemplateId }) => {
        this.#get(jobTemplateId);
        this.#table.delete(jobTemplateId);
        return {};
      }),
    };
  }

  #get(jobTemplateId: string): JobTemplate & { readonly createdAt: Instant } {
    const template = this.#table.get(jobTemplateId);
    if (template === undefined) throw notFound(`Job template ${jobTemplateId}`);
    return template;
  }
}
