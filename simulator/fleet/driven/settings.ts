import { ThingName } from "@coalmine/contract";
import * as z from "zod";

/** An IoT policy's document, as AWS has it: the cloud checks it when it is made. */
const PolicyDocument = z.looseObject({ Version: z.literal("2012-10-17") });

/**
 * What a driven region is set up with, as data: the simulator knows none of it. Whoever starts one hands in the names
 * and policies that the real account has.
 */
export const RegionSettings = z.strictObject({
  accountId: z
    .string()
    .regex(/^\d{12}$/)
    .default("123456789012"),
  policies: z.array(z.strictObject({ name: z.string().min(1), document: PolicyDocument })).min(1),
  thingGroups: z.array(z.string().min(1)).default([]),
  provisioningTemplates: z
    .array(z.strictObject({ name: z.string().min(1), body: z.looseObject({}), roleArn: z.string() }))
    .default([]),
  roleAlias: z.strictObject({
    name: z.string().min(1),
    roleArn: z.string().min(1),
    credentialDurationSeconds: z.int().min(900).max(43_200).default(3600),
  }),
  /** The account's operator and the control API's token; made anew where they are not given. */
  operator: z
    .strictObject({
      accessKeyId: z.string().min(16),
      secretAccessKey: z.string().min(16),
      controlToken: z.string().min(16),
    })
    .optional(),
  /** Made empty. */
  buckets: z.array(z.string().min(3)).default([]),
  /** What each hosted device joins with: a later commissioning replaces it. */
  devices: z.strictObject({
    /** The thing's name is this and a number of four digits. */
    namePrefix: z.string().min(1).default("hosted-"),
    policies: z.array(z.string()).min(1),
    groups: z.array(z.string()).default([]),
    attributes: z.record(z.string(), z.string()).default({}),
  }),
});
export type RegionSettings = z.infer<typeof RegionSettings>;

export function hostedThingName({ devices }: RegionSettings, index: number): ThingName {
  return ThingName.parse(`${devices.namePrefix}${String(index + 1).padStart(4, "0")}`);
}
