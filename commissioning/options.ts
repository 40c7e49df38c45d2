import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ThingName } from "@coalmine/contract";
import { LinesConfig } from "@coalmine/instrument/lines";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { CommissioningRefused } from "./refusal.ts";

const host = z
  .string()
  .regex(/^[A-Za-z0-9.-]{1,253}$/, "a host name or address is needed, without port or path");
const port = z.int().min(1).max(65_535);

/** What a device is commissioned with; the file names no secret, only the folder that holds the claim. */
export const CommissionOptions = z.strictObject({
  /** Becomes the thing's name. */
  serial: ThingName,
  /** Becomes an attribute of the thing, which may hold no spaces. */
  site: z
    .string()
    .regex(
      /^[a-zA-Z0-9_.,@/:#=[\]-]{1,128}$/,
      "only letters, digits and _ . , @ / : # = [ ] - without spaces",
    ),
  /** The core device's own folder. */
  root: z.string().min(1),
  /** Holds `claim.pem.crt`, `claim.private.pem.key` and `AmazonRootCA1.pem`. */
  claimFolder: z.string().min(1),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  provisioningTemplate: z.string().min(1).max(36).default("CoalmineDevice"),
  roleAlias: z.string().min(1).max(128).default("CoalmineTokenExchange"),
  iotDataEndpoint: host,
  mqttPort: port.default(8883),
  /** `host` or `host:port`. */
  iotCredEndpoint: z.string().regex(/^[A-Za-z0-9.-]{1,253}(:\d{1,5})?$/, "host or host:port"),
  greengrassDataPlaneEndpoint: host.optional(),
  greengrassDataPlanePort: port.default(8443),
  /** How often the device looks at its queue of deployments; the nucleus's own is 15 s. */
  deploymentPollingFrequencySeconds: z.int().min(1).max(3600).optional(),
  /** `user` or `user:group` that components run as where the core device is root and they name none. */
  componentDefaultUser: z
    .string()
    .regex(/^[\w.-]{1,32}(:[\w.-]{1,32})?$/, "user or user:group, names or numbers")
    .optional(),
  /** Folders of names that lead to serial ports, beside /dev/serial/by-id. */
  serialFolders: z.array(z.string().min(1)).max(16).default([]),
  baudRate: z.int().min(1200).max(4_000_000).default(115_200),
  /** Modbus slaves and instruments that send text, as sensor-reader's configuration will have them. */
  lines: LinesConfig.default([]),
});
export type CommissionOptions = z.infer<typeof CommissionOptions>;

/** Reads the settings file; relative paths in it are relative to the file. */
export async function readOptions(file: string): Promise<CommissionOptions> {
  let written: unknown;
  try {
    written = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new CommissioningRefused(
      "settings",
      `cannot read ${file} (${messageOf(cause)}); write the device's settings there as JSON`,
      { cause },
    );
  }
  const read = CommissionOptions.safeParse(written);
  if (!read.success)
    throw new CommissioningRefused(
      "settings",
      `${file}: ${z.prettifyError(read.error)}; correct it and run this again`,
    );
  const absolute = (path: string): string => resolve(dirname(file), path);
  const { root, claimFolder, serialFolders } = read.data;
  return {
    ...read.data,
    root: absolute(root),
    claimFolder: absolute(claimFolder),
    serialFolders: serialFolders.map(absolute),
  };
}
