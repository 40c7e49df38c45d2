import type { Clock } from "@coalmine/ports";
import * as z from "zod";
import type { Operation, Place } from "../service.ts";
import type { Store, Table } from "../store/store.ts";
import { iotArn } from "./arn.ts";
import { alreadyExists, invalid, notFound, operation, page, PageInput } from "./operation.ts";
import { readTemplate } from "./template-body.ts";

export interface ProvisioningTemplate {
  readonly templateName: string;
  readonly description: string | undefined;
  readonly body: string;
  readonly enabled: boolean;
  readonly provisioningRoleArn: string;
  readonly preProvisioningHook: { readonly targetArn: string; readonly payloadVersion: string } | undefined;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

const TemplateInput = z.object({ templateName: z.string().regex(/^[0-9A-Za-z_-]{1,36}$/) });
const Hook = z.object({ targetArn: z.string(), payloadVersion: z.string().nullish() }).nullish();

/** Fleet provisioning templates. Carrying one out is `identity/provisioning.ts`. */
export class Templates {
  readonly table: Table<ProvisioningTemplate>;
  readonly #place: Place;
  readonly #clock: Clock;

  constructor(options: { readonly place: Place; readonly store: Store; readonly clock: Clock }) {
    this.#place = options.place;
    this.#clock = options.clock;
    this.table = options.store.table("iot-provisioning-templates");
  }

  arn(name: string): string {
    return iotArn(this.#place, "provisioningtemplate", name);
  }

  template(name: string): ProvisioningTemplate {
    const template = this.table.get(name);
    if (template === undefined) throw notFound(`Provisioning template ${name}`);
    return template;
  }

  operations(): Record<string, Operation> {
    return {
      CreateProvisioningTemplate: operation(
        TemplateInput.extend({
          description: z.string().max(500).nullish(),
          templateBody: z.string().max(10_240),
          enabled: z.boolean().nullish(),
          provisioningRoleArn: z.string(),
          preProvisioningHook: Hook,
          type: z.string().nullish(),
        }),
        (input) => {
          const { templateName } = input;
          if (input.type !== undefined && input.type !== null && input.type !== "FLEET_PROVISIONING")
            throw invalid(`Templates of type ${input.type} are not simulated, FLEET_PROVISIONING is.`);
          if (this.table.get(templateName) !== undefined)
            throw alreadyExists(
              `Provisioning template ${templateName}`,
              templateName,
              this.arn(templateName),
            );
          readTemplate(input.templateBody);
          const now = this.#clock.now();
          this.table.set(templateName, {
            templateName,
            description: input.description ?? undefined,
            body: input.templateBody,
            enabled: input.enabled ?? false,
            provisioningRoleArn: input.provisioningRoleArn,
            preProvisioningHook: hookOf(input.preProvisioningHook),
            createdAt: now,
            modifiedAt: now,
          });
          return { templateArn: this.arn(templateName), templateName, defaultVersionId: 1 };
        },
      ),
      DescribeProvisioningTemplate: operation(TemplateInput, ({ templateName }) => {
        const { createdAt, modifiedAt, body, ...template } = this.template(templateName);
        return {
          ...template,
          templateArn: this.arn(templateName),
          templateBody: body,
          creationDate: new Date(createdAt),
          lastModifiedDate: new Date(modifiedAt),
          defaultVersionId: 1,
          type: "FLEET_PROVISIONING",
        };
      }),
      UpdateProvisioningTemplate: operation(
        TemplateInput.extend({
          description: z.string().nullish(),
          enabled: z.boolean().nullish(),
          provisioningRoleArn: z.string().nullish(),
          preProvisioningHook: Hook,
          removePreProvisioningHook: z.boolean().nullish(),
        }),
        (input) => {
          const former = this.template(input.templateName);
          this.table.set(input.templateName, {
            ...former,
            description: input.description ?? former.description,
            enabled: input.enabled ?? former.enabled,
            provisioningRoleArn: input.provisioningRoleArn ?? former.provisioningRoleArn,
            preProvisioningHook:
              input.removePreProvisioningHook === true
                ? undefined
                : (hookOf(input.preProvisioningHook) ?? former.preProvisioningHook),
            modifiedAt: this.#clock.now(),
          });
          return {};
        },
      ),
      DeleteProvisioningTemplate: operation(TemplateInput, ({ templateName }) => {
        this.template(templateName);
        this.table.delete(templateName);
        return {};
      }),
      ListProvisioningTemplates: operation(z.object(PageInput), (input) => {
        const { items, nextToken } = page(this.table.entries(), ([name]) => name, input);
        return {
          templates: items.map(([templateName, { description, enabled, createdAt, modifiedAt }]) => ({
            templateName,
            templateArn: this.arn(templateName),
            description,
            enabled,
            creationDate: new Date(createdAt),
            lastModifiedDate: new Date(modifiedAt),
            type: "FLEET_PROVISIONING",
          })),
          nextToken,
        };
      }),
    };
  }
}

function hookOf(hook: z.infer<typeof Hook>): ProvisioningTemplate["preProvisioningHook"] {
  return hook === null || hook === undefined
    ? undefined
    : { targetArn: hook.targetArn, payloadVersion: hook.payloadVersion ?? "2020-04-01" };
}
