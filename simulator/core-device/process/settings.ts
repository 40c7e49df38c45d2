import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "@coalmine/ports";
import { CoalmineError } from "@coalmine/runtime";
import { parse } from "yaml";
import * as z from "zod";

const text = z.string().min(1);
const port = z.coerce.number().int().min(1).max(65_535);

const Settings = z.object({
  system: z.object({
    thingName: text,
    certificateFilePath: text,
    privateKeyPath: text,
    rootCaPath: text,
  }),
  services: z.object({
    "aws.greengrass.Nucleus": z.object({
      configuration: z.looseObject({
        awsRegion: text,
        iotRoleAlias: text.optional(),
        iotDataEndpoint: text,
        iotCredEndpoint: text,
        mqtt: z.looseObject({ port: port.default(8883) }).prefault({}),
        greengrassDataPlaneEndpoint: z.string().optional(),
        greengrassDataPlanePort: port.default(8443),
      }),
    }),
  }),
});

export interface DeviceSettings {
  readonly thingName: string;
  readonly certificateFilePath: string;
  readonly privateKeyPath: string;
  readonly rootCaPath: string;
  readonly region: string;
  readonly mqtt: { readonly host: string; readonly port: number };
  /** `host:port` of the Greengrass data plane and of the credentials provider. */
  readonly dataPlane: string;
  readonly credentials: string;
  /** As written, for the device's own configuration. */
  readonly nucleusConfiguration: JsonObject;
}

export class SettingsError extends CoalmineError {
  readonly code = "ERR_CORE_DEVICE_SETTINGS";
}

/** Reads `<root>/config/config.yaml`, which has the nucleus's own keys. */
export async function readSettings(root: string): Promise<DeviceSettings> {
  const file = join(root, "config/config.yaml");
  let written: unknown;
  try {
    written = parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new SettingsError(
      `ERR_CORE_DEVICE_SETTINGS: cannot read ${file}; write the device's configuration there`,
      { cause },
    );
  }
  const read = Settings.safeParse(written);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new SettingsError(
      `ERR_CORE_DEVICE_SETTINGS: ${file}: ${issue?.path.map(String).join(".") ?? "?"}: ${issue?.message ?? "not readable"}; set it as the Greengrass nucleus has it`,
    );
  }
  const { system, services } = read.data;
  const { configuration } = services["aws.greengrass.Nucleus"];
  const endpoint =
    configuration.greengrassDataPlaneEndpoint ??
    `greengrass-ats.iot.${configuration.awsRegion}.amazonaws.com`;
  const host = endpoint === "iotdata" ? configuration.iotDataEndpoint : endpoint;
  return {
    ...system,
    region: configuration.awsRegion,
    mqtt: { host: configuration.iotDataEndpoint, port: configuration.mqtt.port },
    dataPlane: `${host}:${configuration.greengrassDataPlanePort}`,
    credentials: configuration.iotCredEndpoint,
    nucleusConfiguration: z.record(z.string(), z.json()).parse(configuration),
  };
}
