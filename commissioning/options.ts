import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { ThingName } from "@coalmine/contract";
import { HardwareId, Site } from "@coalmine/contract/commissioning";
import { ReferenceFluid } from "@coalmine/instrument/guided-calibration/reference-fluid";
import { LinesConfig } from "@coalmine/instrument/lines";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { CommissioningRefused } from "./refusal.ts";

const host = z
  .string()
  .regex(/^[A-Za-z0-9.-]{1,253}$/, "a host name or address is needed, without port or path");
const port = z.int().min(1).max(65_535);

/** What a device is commissioned with; the file holds no secret, only the name of the one that has the code. */
export const CommissionOptions = z.strictObject({
  /** Becomes the thing's name. */
  serial: ThingName,
  /** Becomes an attribute of the thing, which may hold no spaces. */
  site: Site,
  /** What the code may ask for beside the serial number. */
  hardwareId: HardwareId.optional(),
  /** The core device's own folder. */
  root: z.string().min(1),
  /** Holds the claim code, and is its owner's alone; `commissioning/claim-code` in the root without it. */
  claimCodeFile: z.string().min(1).optional(),
  /** Where the code is exchanged. */
  claimEndpoint: z.url({ protocol: /^https$/ }),
  /** Amazon Root CA 1: the one authority that counts for this device. */
  rootCaFile: z.string().min(1),
  /** Where the network does not lead there: end without an identity, which a later run completes. */
  finishOffline: z.boolean().default(false),
  /** Who is on site; the record keeps it. */
  technician: z.string().trim().min(1).max(128).default("unknown"),
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
  /** AWS's archive of the nucleus, installed at the end: a file of the image or an address, with the digest that was recorded. */
  nucleus: z
    .strictObject({
      archive: z.string().min(1).max(2048),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits"),
    })
    .optional(),
  /** Folders of names that lead to serial ports, beside /dev/serial/by-id. */
  serialFolders: z.array(z.string().min(1)).max(16).default([]),
  baudRate: z.int().min(1200).max(4_000_000).default(115_200),
  /** Modbus slaves and instruments that send text, as sensor-reader's configuration will have them. */
  lines: LinesConfig.default([]),
});
export type CommissionOptions = z.infer<typeof CommissionOptions>;

/** What the maker leaves on a device for whoever sets it up. */
const FactoryFile = CommissionOptions.omit({ site: true, technician: true }).extend({
  /** The bottles that technicians have along. */
  referenceFluids: z.array(ReferenceFluid).max(50).default([]),
  /** Where a phone finds the device when it reads the label. */
  consoleUrl: z
    .url({ protocol: /^https?$/ })
    .max(100)
    .optional(),
});

interface PathsIn {
  readonly root: string;
  readonly claimCodeFile?: string | undefined;
  readonly rootCaFile: string;
  readonly serialFolders: readonly string[];
  readonly nucleus?: { readonly archive: string; readonly sha256: string } | undefined;
}

/** Reads the settings file; relative paths in it are relative to the file. */
export const readOptions = (file: string): Promise<CommissionOptions> =>
  readSettings(file, CommissionOptions);

export async function readFactorySettings(file: string) {
  const { referenceFluids, consoleUrl, ...settings } = await readSettings(file, FactoryFile);
  return { settings, referenceFluids, consoleUrl };
}

async function readSettings<Settings extends PathsIn>(
  file: string,
  schema: z.ZodType<Settings>,
): Promise<Settings> {
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
  const read = schema.safeParse(written);
  if (!read.success)
    throw new CommissioningRefused(
      "settings",
      `${file}: ${z.prettifyError(read.error)}; correct it and run this again`,
    );
  const absolute = (path: string): string => resolve(dirname(file), path);
  const { root, claimCodeFile, rootCaFile, serialFolders, nucleus } = read.data;
  return {
    ...read.data,
    root: absolute(root),
    ...(claimCodeFile === undefined ? {} : { claimCodeFile: absolute(claimCodeFile) }),
    rootCaFile: absolute(rootCaFile),
    serialFolders: serialFolders.map(absolute),
    ...(nucleus === undefined || URL.canParse(nucleus.archive)
      ? {}
      : { nucleus: { ...nucleus, archive: absolute(nucleus.archive) } }),
  };
}
