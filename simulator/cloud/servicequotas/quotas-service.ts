import * as z from "zod";
import { pageFrom } from "../page.ts";
import { readInput } from "../read-input.ts";
import { type Operation, type Output, type Place, type Service, ServiceError } from "../service.ts";
import { type Quota, quotas } from "./quotas.ts";

const Page = {
  MaxResults: z.number().int().min(1).max(100).default(100),
  NextToken: z.string().regex(/^\d+$/).optional(),
};
const OfService = z.object({ ServiceCode: z.string(), ...Page });
const One = z.object({ ServiceCode: z.string(), QuotaCode: z.string() });

/** Service Quotas, read only: what this cloud keeps of AWS's quotas, and what AWS's own defaults are. */
export function serviceQuotas(place: Place): Service {
  const told =
    (serviceCode: string, serviceName: string, valueOf: (quota: Quota) => number) => (quota: Quota) => ({
      ServiceCode: serviceCode,
      ServiceName: serviceName,
      QuotaArn: `arn:aws:servicequotas:${place.region}:${place.accountId}:${serviceCode}/${quota.code}`,
      QuotaCode: quota.code,
      QuotaName: quota.name,
      Value: valueOf(quota),
      Unit: quota.unit,
      Adjustable: true,
      GlobalQuota: false,
    });
  const list =
    (valueOf: (quota: Quota) => number): Operation =>
    (input) => {
      const { ServiceCode, MaxResults, NextToken } = read(OfService, input);
      const service = serviceOf(ServiceCode);
      const { items, NextToken: next } = pageFrom(service.quotas, Number(NextToken ?? 0), MaxResults);
      return { Quotas: items.map(told(ServiceCode, service.name, valueOf)), NextToken: next };
    };
  const get =
    (valueOf: (quota: Quota) => number): Operation =>
    (input): Output => {
      const { ServiceCode, QuotaCode } = read(One, input);
      const service = serviceOf(ServiceCode);
      const quota = service.quotas.find(({ code }) => code === QuotaCode);
      if (quota === undefined)
        throw noSuchResource(`The quota ${QuotaCode} of ${ServiceCode} is none that this cloud keeps.`);
      return { Quota: told(ServiceCode, service.name, valueOf)(quota) };
    };
  const applied = ({ value }: Quota): number => value;
  const byDefault = ({ value, awsDefault }: Quota): number => awsDefault ?? value;
  return {
    signingName: "servicequotas",
    operations: {
      ListServices: (input) => {
        const { MaxResults, NextToken } = read(z.object(Page), input);
        const { items, NextToken: next } = pageFrom(
          Object.entries(quotas),
          Number(NextToken ?? 0),
          MaxResults,
        );
        return {
          Services: items.map(([ServiceCode, { name }]) => ({ ServiceCode, ServiceName: name })),
          NextToken: next,
        };
      },
      ListServiceQuotas: list(applied),
      ListAWSDefaultServiceQuotas: list(byDefault),
      GetServiceQuota: get(applied),
      GetAWSDefaultServiceQuota: get(byDefault),
    },
  };
}

function read<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  return readInput(schema, input, (member, why) =>
    member === "NextToken"
      ? new ServiceError("InvalidPaginationTokenException", 400, "The token is none that was given out.")
      : new ServiceError("IllegalArgumentException", 400, `${member}: ${why}`),
  );
}

function serviceOf(serviceCode: string) {
  const service = Object.hasOwn(quotas, serviceCode) ? quotas[serviceCode] : undefined;
  if (service !== undefined) return service;
  throw noSuchResource(
    `The request failed because the specified service does not exist: ${serviceCode} has no quotas here.`,
  );
}

function noSuchResource(message: string): ServiceError {
  return new ServiceError("NoSuchResourceException", 400, message);
}
