import * as z from "zod";

/** The names and numbers that must not be mixed up: each has a brand, and the schema is the one way in. */

/** An AWS IoT thing: 1 to 128 of `[a-zA-Z0-9:_-]`. @see https://docs.aws.amazon.com/iot/latest/apireference/API_CreateThing.html */
export const ThingName = z
  .string()
  .regex(/^[a-zA-Z0-9:_-]{1,128}$/)
  .brand<"ThingName">();
export type ThingName = z.infer<typeof ThingName>;

/** A Greengrass component name: at most 128 of `[a-zA-Z0-9-_.]`. */
export const ComponentName = z
  .string()
  .regex(/^[a-zA-Z0-9\-_.]{1,128}$/)
  .brand<"ComponentName">();
export type ComponentName = z.infer<typeof ComponentName>;

/** A semantic version as Greengrass takes it: at most 64 characters, each number at most 999999. */
export const ComponentVersion = z
  .string()
  .max(64)
  .regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/)
  .brand<"ComponentVersion">();
export type ComponentVersion = z.infer<typeof ComponentVersion>;

/** An instrument's own serial number, as it announces it. */
export const InstrumentId = z
  .string()
  .regex(/^[a-zA-Z0-9_-]{1,64}$/)
  .brand<"InstrumentId">();
export type InstrumentId = z.infer<typeof InstrumentId>;

/** SHA-256 as 64 lower-case hexadecimal digits. */
export const Sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand<"Sha256">();
export type Sha256 = z.infer<typeof Sha256>;

/** The components of the suite, as recipes name them. */
export const componentNames = {
  sensorReader: "coalmine.SensorReader",
  inference: "coalmine.Inference",
  streamUploader: "coalmine.StreamUploader",
  logManager: "coalmine.LogManager",
  nodeRuntime: "coalmine.NodeRuntime",
  bloodViscosityModel: "coalmine.model.BloodViscosity",
} as const;

/** Whether it is a program of ours: models are data, and Node runs what others bring. */
export function isProgram(component: string): boolean {
  return component !== componentNames.nodeRuntime && !component.startsWith("coalmine.model.");
}
