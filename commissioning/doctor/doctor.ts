import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import { compareClock, refuseUnsetClock } from "../clock-gate.ts";
import { readIdentity } from "../identity-files.ts";
import { mqttAlpn } from "../network/network-list.ts";
import { CommissioningRefused } from "../refusal.ts";
import { probeTls } from "../tls-probe.ts";
import { type Account, accountOf, ownerOf } from "./account.ts";
import { type DeviceConfiguration, readDeviceConfiguration } from "./device-configuration.ts";
import { failed, type Finding, notChecked, ok } from "./finding.ts";
import { identityFiles } from "./identity-files.ts";
import { type ComponentRights, rightsOf } from "./rights.ts";

/** Below this a release cannot be downloaded beside the one that runs: Node and all components are about 120 MiB. */
const FREE_BYTES_MIN = 256 * 1024 * 1024;

export interface DoctorOptions {
  /** The core device's folder. */
  readonly root: string;
  /** Folders of names that lead to serial ports. */
  readonly serialFolders: readonly string[];
  readonly needed: readonly ComponentRights[];
  readonly clock: Clock;
}

/** Looks at a commissioned device and changes nothing. Throws only where there is no core device to look at. */
export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const { root, serialFolders, needed, clock } = options;
  const configuration = await readDeviceConfiguration(root);
  const user = configuration.user ?? (await ownerOf(root));
  const account: Account | undefined = user === undefined ? undefined : accountOf(user);
  return [
    await identityFiles(configuration, clock),
    await clockAgainst(configuration, clock),
    await reachable(configuration, clock),
    await room(root),
    claimGone(root),
    ...(account === undefined
      ? [notChecked("rights", `nobody in /etc/passwd owns ${root}`, "give it to the core device's user")]
      : await rightsOf(needed, account, { logs: join(root, "logs"), serialFolders })),
  ];
}

async function clockAgainst(configuration: DeviceConfiguration, clock: Clock): Promise<Finding> {
  const check = "the clock";
  try {
    refuseUnsetClock(clock);
    const door = { endpoint: configuration.iotCredEndpoint, ...(await readIdentity(configuration)) };
    const aheadMs = await compareClock(door, clock, configuration.proxy);
    return ok(
      check,
      `within ${Math.max(1, Math.ceil(Math.abs(aheadMs) / 1000))} s of ${configuration.iotCredEndpoint}`,
    );
  } catch (failure) {
    return refusal(check, failure);
  }
}

async function reachable(configuration: DeviceConfiguration, clock: Clock): Promise<Finding> {
  const { iotDataEndpoint: host, mqttPort: port } = configuration;
  const check = "the way to AWS IoT Core";
  try {
    const door = { host, port, ...(await readIdentity(configuration)), alpn: mqttAlpn(port) };
    await probeTls(door, clock, configuration.proxy);
    return ok(check, `${host}:${port} takes this device's certificate`);
  } catch (failure) {
    return refusal(check, failure);
  }
}

/** A refusal's sentence says what to do: it is split where that begins. */
function refusal(check: string, failure: unknown): Finding {
  const sentence = messageOf(failure).replace(/^ERR_COMMISSIONING: [a-z-]+: /, "");
  const [what = sentence, ...remedy] = sentence.split("; ");
  const kind =
    failure instanceof CommissioningRefused && failure.reason === "unreachable" ? "unreachable" : "other";
  return failed(check, kind, what, remedy.join("; ") || "run this as root");
}

async function room(root: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(root);
  const freeMiB = Math.floor((bavail * bsize) / 1024 ** 2);
  const needMiB = FREE_BYTES_MIN / 1024 ** 2;
  return freeMiB >= needMiB
    ? ok("room for a release", `${freeMiB} MiB are free at ${root}`)
    : failed(
        "room for a release",
        "other",
        `${freeMiB} MiB are free at ${root}, a release needs ${needMiB}`,
        "free some space; stream-uploader's queue goes by itself when it is uploaded",
      );
}

function claimGone(root: string): Finding {
  const token = join(root, "commissioning", "ownership-token");
  return existsSync(token)
    ? failed(
        "commissioning is finished",
        "other",
        `${token} is still there`,
        "run `coalmine commission` again: it goes on where it was",
      )
    : ok("commissioning is finished", "no secret of it is left");
}
