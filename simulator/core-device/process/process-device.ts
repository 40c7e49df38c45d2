import { mkdir, readFile } from "node:fs/promises";
import { machine } from "node:os";
import { resolve } from "node:path";
import type { Clock, Random } from "@coalmine/ports";
import { serveOnUnixSocket } from "@coalmine/ipc/unix-socket";
import { Closing, jsonLog } from "@coalmine/runtime";
import { CoreDevice } from "../core-device.ts";
import type { Credentials } from "../credentials/credentials.ts";
import { OutputLog } from "../lifecycle/output-log.ts";
import { CgroupLimits } from "./cgroup-limits.ts";
import { cloudSecrets } from "./cloud-secrets.ts";
import { credentialsServer } from "./credentials-server.ts";
import { downloads } from "./downloads.ts";
import { httpsDataPlane } from "./https-data-plane.ts";
import { readLocalFolder } from "./local-folder.ts";
import { MqttLink } from "./mqtt-link.ts";
import { NodeRoot } from "./node-root.ts";
import { readSettings } from "./settings.ts";
import { ShellLauncher } from "./shell-launcher.ts";
import { systemMetrics } from "./system-metrics.ts";
import { systemUser } from "./system-users.ts";

export const NUCLEUS_VERSION = "2.18.0";

interface ProcessDeviceOptions {
  /** The device's root; `config/config.yaml` is in it. */
  readonly root: string;
  readonly clock: Clock;
  readonly random: Random;
  /** What the core device itself was started with; components inherit it, without anybody's own credentials. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the configuration names no `runWithDefault.posixUser`, as the installer of the nucleus sets it. */
  readonly componentDefaultUser?: string | undefined;
}

/** A core device on this machine: real TLS, real files, real processes. Resolves when its components are starting. */
export async function startProcessDevice(
  options: ProcessDeviceOptions,
): Promise<{ readonly device: CoreDevice; readonly thingName: string; readonly stop: () => Promise<void> }> {
  const rootPath = resolve(options.root);
  const { clock, random } = options;
  const settings = await readSettings(rootPath);
  const { thingName, region, rootCaPath, certificateFilePath, privateKeyPath } = settings;
  for (const folder of ["logs", "work", "packages", "deployments"])
    await mkdir(`${rootPath}/${folder}`, { recursive: true });
  const [certificate, privateKey, rootCa] = await Promise.all(
    [certificateFilePath, privateKeyPath, rootCaPath].map((path) => readFile(path, "utf8")),
  );
  const closing = new Closing();
  const root = new NodeRoot(rootPath);
  const environment = inheritable(options.environment);
  const output = closing.add(new OutputLog(root, clock, "greengrass"), (log) => log.drained());
  const log = jsonLog("nucleus", clock, (line) => output.write("stdout", line, ""));
  const isRoot = process.getuid?.() === 0;
  if (!isRoot)
    log.info("components run as the device's own user: it is not root, and cannot become another user", {
      user: process.getuid?.(),
    });
  const limits = await CgroupLimits.open("/sys/fs/cgroup", thingName, log);
  if (limits !== undefined) closing.add(limits, (open) => open.close());
  const endpointOf = (service: string): string | undefined =>
    environment[`AWS_ENDPOINT_URL_${service}`] ?? environment["AWS_ENDPOINT_URL"];
  const credentials = (): Promise<Credentials> => device.credentials();
  const fetching = closing.add(
    downloads({ region, rootCa: rootCa ?? "", s3Endpoint: endpointOf("S3"), credentials }),
    (open) => open.close(),
  );
  const secrets = closing.add(
    cloudSecrets({
      region,
      endpoint: endpointOf("SECRETS_MANAGER"),
      credentials,
      privateKey: privateKey ?? "",
    }),
    (open) => open.close(),
  );
  const dataPlane = closing.add(
    httpsDataPlane({
      thingName,
      dataPlane: settings.dataPlane,
      credentials: settings.credentials,
      certificate: certificate ?? "",
      privateKey: privateKey ?? "",
      rootCa: rootCa ?? "",
      download: (url) => fetching.get(url),
    }),
    (open) => open.close(),
  );
  const cloudLink = new MqttLink({
    clientId: thingName,
    ...settings.mqtt,
    certificateFilePath,
    privateKeyPath,
    rootCaPath,
  });
  const device = new CoreDevice({
    thingName,
    region,
    clock,
    random,
    root,
    cloudLink,
    dataPlane,
    launcher: new ShellLauncher(
      environment["PATH"] ?? "/usr/bin:/bin",
      isRoot ? systemUser : undefined,
      limits,
    ),
    platform: {
      os: platforms[process.platform] ?? process.platform,
      architecture: architectures[process.arch] ?? process.arch,
      ...(process.arch.startsWith("arm") ? { "architecture.detail": machine() } : {}),
    },
    nucleusVersion: NUCLEUS_VERSION,
    environment,
    log,
    rootCaPath,
    nucleusConfiguration: {
      ...(options.componentDefaultUser === undefined
        ? {}
        : { runWithDefault: { posixUser: options.componentDefaultUser } }),
      ...settings.nucleusConfiguration,
    },
    credentialsDoor: credentialsServer,
    localFolder: readLocalFolder,
    secrets,
    systemMetrics: systemMetrics(),
    userId: process.getuid?.() ?? 0,
  });
  // Components connect as soon as they run: the socket is there before them, and after them.
  closing.add(await serveOnUnixSocket(device.service, rootPath, log), (socket) => socket.close());
  try {
    await device.start();
  } catch (failure) {
    await closing.close();
    throw failure;
  }
  closing.add(device, (started) => started.stop());
  return { device, thingName, stop: () => closing.close() };
}

const platforms: Readonly<Record<string, string>> = { linux: "linux", darwin: "darwin", win32: "windows" };
const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  arm64: "aarch64",
  arm: "arm",
  ia32: "x86",
};

/**
 * A device's components act as the device: what its starter is, or was started by, does not concern them, nor how the
 * device itself keeps house.
 */
function inheritable(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const others =
    /^(npm_|NODE_OPTIONS$|GIT_|MALLOC_|AWS_(ACCESS_KEY|SECRET_|SESSION_|PROFILE|CONTAINER_|WEB_IDENTITY))/;
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined || others.test(name) ? [] : [[name, value] as const],
    ),
  );
}
