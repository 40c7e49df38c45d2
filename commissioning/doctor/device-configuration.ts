import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CoalmineError, messageOf } from "@coalmine/runtime";
import { type Proxy, Secret } from "@coalmine/site";
import { parse } from "yaml";
import * as z from "zod";

const HTTP_PORT = 80;

/** As the nucleus has it. */
const NetworkProxy = z.object({
  noProxyAddresses: z.string().default(""),
  proxy: z.object({
    url: z.url({ protocol: /^http$/ }),
    username: z.string().optional(),
    password: z.string().optional(),
  }),
});
type NetworkProxy = z.infer<typeof NetworkProxy>;

/** Of a core device's `config/config.yaml`, what its health depends on. */
const Configuration = z.object({
  system: z.object({
    thingName: z.string().min(1),
    certificateFilePath: z.string().min(1),
    privateKeyPath: z.string().min(1),
    rootCaPath: z.string().min(1),
  }),
  services: z.object({
    "aws.greengrass.Nucleus": z.object({
      configuration: z.object({
        iotDataEndpoint: z.string().min(1),
        iotCredEndpoint: z.string().min(1),
        mqtt: z.object({ port: z.int().default(8883) }).prefault({}),
        networkProxy: NetworkProxy.optional(),
        /** `user:group`; without it components run as the core device itself. */
        runWithDefault: z.object({ posixUser: z.string().optional() }).prefault({}),
      }),
    }),
  }),
});

export interface DeviceConfiguration {
  readonly thing: string;
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  readonly rootCaFile: string;
  readonly iotDataEndpoint: string;
  readonly iotCredEndpoint: string;
  readonly mqttPort: number;
  readonly user: string | undefined;
  readonly proxy: Proxy | undefined;
}

export class DeviceConfigurationError extends CoalmineError {
  readonly code = "ERR_DEVICE_CONFIGURATION";
}

export async function readDeviceConfiguration(root: string): Promise<DeviceConfiguration> {
  const file = join(root, "config", "config.yaml");
  let written: unknown;
  try {
    written = parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new DeviceConfigurationError(
      `${file} cannot be read (${messageOf(cause)}); name the core device's folder with --root, and run this as root`,
      { cause },
    );
  }
  const read = Configuration.safeParse(written);
  if (!read.success)
    throw new DeviceConfigurationError(
      `${file} is not a core device's configuration: ${z.prettifyError(read.error)}; commission the device (\`coalmine commission\`)`,
    );
  const { system, services } = read.data;
  const { configuration } = services["aws.greengrass.Nucleus"];
  return {
    thing: system.thingName,
    certificateFile: system.certificateFilePath,
    privateKeyFile: system.privateKeyPath,
    rootCaFile: system.rootCaPath,
    iotDataEndpoint: configuration.iotDataEndpoint,
    iotCredEndpoint: configuration.iotCredEndpoint,
    mqttPort: configuration.mqtt.port,
    user: configuration.runWithDefault.posixUser?.split(":")[0],
    proxy: configuration.networkProxy && proxyIn(configuration.networkProxy),
  };
}

function proxyIn({ noProxyAddresses, proxy: { url, username, password } }: NetworkProxy): Proxy {
  const { hostname: host, port } = new URL(url);
  return {
    host,
    port: Number(port || HTTP_PORT),
    exceptions: noProxyAddresses.split(",").filter((name) => name !== ""),
    ...(username === undefined ? {} : { account: { user: username, password: new Secret(password ?? "") } }),
  };
}
