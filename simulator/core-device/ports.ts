/**
 * What a core device needs of the world. A process device gets real ends (TLS, files, child processes), a hosted one
 * gets in-memory ends of the same cloud; `CoreDevice` is one class and knows no difference.
 */

/** What MQTT 5 carries beside a payload, in the words of Greengrass IPC; binary data in base64. */
export interface MessageFields {
  readonly retain: boolean;
  /** "1": the payload is UTF-8 text. */
  readonly payloadFormat: "0" | "1";
  readonly userProperties?: readonly { readonly key: string; readonly value: string }[];
  readonly messageExpiryIntervalSeconds?: number;
  readonly correlationData?: string;
  readonly responseTopic?: string;
  readonly contentType?: string;
}

/** MQTT 5 to IoT Core, by the device's certificate. One connection at a time; reconnecting is the link's own work. */
export interface CloudLink {
  start(handlers: {
    connected(sessionPresent: boolean): void;
    disconnected(reason: string): void;
    message(topic: string, payload: Uint8Array, fields: MessageFields): void;
  }): void;
  /** Resolves at PUBACK (QoS 1) or when sent (QoS 0); rejects when the link goes down first or the broker refuses. */
  publish(topic: string, payload: Uint8Array, qos: 0 | 1, fields?: MessageFields): Promise<void>;
  /** Resolves at a granting SUBACK; rejects with the reason code's name otherwise. */
  subscribe(topicFilter: string, qos: 0 | 1): Promise<void>;
  unsubscribe(topicFilter: string): Promise<void>;
  stop(): Promise<void>;
}

/** The HTTP calls of a core device: Greengrass data plane, credentials provider, artifact download. */
export interface DataPlane {
  resolveComponentCandidates(request: {
    readonly platform: { readonly attributes: Readonly<Record<string, string>> };
    readonly componentCandidates: readonly {
      readonly componentName: string;
      readonly componentVersion?: string;
      readonly versionRequirements: Readonly<Record<string, string>>;
    }[];
  }): Promise<{
    readonly resolvedComponentVersions: readonly {
      readonly arn: string;
      readonly componentName: string;
      readonly componentVersion: string;
      /** Base64 of the recipe, JSON or YAML. */
      readonly recipe: string;
      readonly vendorGuidance?: string;
    }[];
  }>;
  getComponentVersionArtifact(arn: string, artifactName: string): Promise<{ readonly preSignedUrl: string }>;
  listThingGroupsForCoreDevice(thingName: string): Promise<readonly { readonly thingGroupName: string }[]>;
  getDeploymentConfiguration(deploymentId: string): Promise<{
    readonly preSignedUrl: string;
    readonly integrityCheck: { readonly algorithm: string; readonly digest: string };
  }>;
  getCredentials(roleAlias: string): Promise<{
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string;
    readonly expiration: string;
  }>;
  /** The bytes behind a pre-signed URL, or behind `s3://bucket/key` with the device's own credentials. */
  download(url: string): Promise<Uint8Array>;
}

/** A data-plane refusal carries the HTTP status; 0 means that no answer came. */
export class DataPlaneError extends Error {
  override readonly name = "DataPlaneError";
  readonly statusCode: number;
  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** A user of the device's system that a component runs as. */
export interface SystemUser {
  /** As the configuration writes it: `user` or `user:group`, names or numbers. */
  readonly posixUser: string;
  readonly userId: number;
  readonly groupId: number;
  readonly name: string;
  readonly home: string;
}

/** What a component may use at most; what is not there is without limit. */
export interface SystemResourceLimits {
  /** KiB. */
  readonly memory?: number;
  /** Of the machine's processors. */
  readonly cpus?: number;
}

/** Starts the scripts of components. */
export interface Launcher {
  launch(command: Command): LaunchedProcess;
  /**
   * The user of that name, where this device can run scripts as others; rejects where the system has none. Where it is
   * not there, every script runs as the device itself.
   */
  userOf?(posixUser: string): Promise<SystemUser>;
  /** Bounds what the component's processes use together, those that run already too; not there where nothing can. */
  limit?(component: string, limits: SystemResourceLimits | undefined): Promise<void>;
  /** The two questions that `Skipif` may ask of the device. */
  holds(condition: { readonly kind: "exists" | "onpath"; readonly what: string }): Promise<boolean>;
}

export interface Command {
  readonly component: string;
  readonly componentVersion: string;
  readonly step: "bootstrap" | "install" | "startup" | "run" | "shutdown" | "recover" | "uninstall";
  /** After interpolation; run as `<shell> -c`. */
  readonly script: string;
  /** The nucleus's `runWithDefault.posixShell`. */
  readonly shell: string;
  readonly environment: Readonly<Record<string, string>>;
  /** `<root>/work/<component>`. */
  readonly workFolder: string;
  /** Undefined: as the device itself. */
  readonly user: SystemUser | undefined;
  /** Each complete line the process wrote. */
  output(stream: "stdout" | "stderr", line: string): void;
}

export interface LaunchedProcess {
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** SIGTERM to the process group, or the hosted component's `stop`. */
  terminate(): void;
  /** SIGKILL to the process group, or the hosted component is dropped at its next await. */
  kill(): void;
  /** Stops everything of the process where it stands, until `resume`; not there where that cannot be done. */
  pause?(): void;
  resume?(): void;
}

/** The device's own disk below its root. Paths are relative. */
export interface DeviceRoot {
  /** Absolute path of the root, as scripts see it. */
  readonly path: string;
  readText(path: string): Promise<string | undefined>;
  /** Whole or not at all, durable when it resolves. A secret is for the device's own user alone. */
  writeText(path: string, text: string, content?: "secret"): Promise<void>;
  /** Appends, durable when it resolves; with `log`, as durable as a log needs to be. */
  appendText(path: string, text: string, durability?: "durable" | "log"): Promise<void>;
  /** Bytes in the file; 0 where there is none. */
  sizeOf(path: string): Promise<number>;
  /** Within one folder; replaces what stands there. */
  rename(from: string, to: string): Promise<void>;
  list(path: string): Promise<readonly string[]>;
  removeTree(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  /** Makes a folder and everything in it the user's, where the disk knows users. */
  giveTo(path: string, user: SystemUser): Promise<void>;
  /** SHA-256 (base64) of a stored artifact, if it is there. */
  artifactDigest(path: string): Promise<string | undefined>;
  /**
   * Takes the bytes of that digest (base64 SHA-256) from elsewhere on this machine and answers true, where they are
   * known: a thousand hosted devices share one copy. A device of its own answers false.
   */
  adoptArtifact(path: string, digest: string): Promise<boolean>;
  writeArtifact(path: string, bytes: Uint8Array, permission: ArtifactPermission): Promise<void>;
  /** Extracts a stored ZIP; refuses names that leave `intoFolder`, and more than `bytesMax` in all. */
  unarchive(
    zipPath: string,
    intoFolder: string,
    permission: ArtifactPermission,
    bytesMax: number,
  ): Promise<void>;
  freeBytes(): Promise<number>;
  /** What everything below a folder takes, in bytes. */
  bytesBelow(path: string): Promise<number>;
}

export interface ArtifactPermission {
  readonly read: "NONE" | "OWNER" | "ALL";
  readonly execute: "NONE" | "OWNER" | "ALL";
}

/**
 * The files below a folder of this machine outside the device's root, as a local deployment names one; paths are
 * relative to it. Rejects where there is no such folder, or it holds more than a deployment may bring.
 */
export type LocalFolder = (
  absolute: string,
) => Promise<readonly { readonly path: string; readonly bytes: () => Promise<Uint8Array> }[]>;

/** How busy the machine is that the device runs on. */
export type SystemMetrics = () => {
  readonly cpuPercent: number;
  readonly openFileDescriptors: number;
  readonly memoryMebibytes: number;
};

/** Platform attributes as the nucleus names them: `os`, `architecture`, … */
export type Platform = Readonly<Record<string, string>>;
