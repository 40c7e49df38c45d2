import { IpcServiceError, parseRequest } from "@coalmine/ipc";
import type { Clock, JsonObject, Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { ConfigurationTree } from "../configuration/tree.ts";
import type { Authorize, Handlers } from "../ipc/handler.ts";
import { SECRET_MANAGER } from "../ipc/plugins.ts";
import type { BuiltIn } from "../lifecycle/built-in.ts";
import type { DeviceRoot } from "../ports.ts";
import { open, seal } from "./sealed.ts";

/** What the cloud keeps of one version of a secret. */
export interface SecretVersion {
  readonly arn: string;
  readonly name: string;
  readonly versionId: string;
  readonly versionStages: readonly string[];
  /** Exactly one of the two; `secretBinary` in base64. */
  readonly secretString?: string | undefined;
  readonly secretBinary?: string | undefined;
}

/** Secrets Manager as a core device asks it; rejects with a sentence. */
export interface SecretSource {
  getSecretValue(secretId: string, versionStage: string): Promise<SecretVersion>;
}

export interface SecretEnd {
  readonly source: SecretSource;
  /** 32 bytes that only this device has: its copy of the secrets is sealed with them. */
  readonly key: Uint8Array;
}

const FILE = "work/aws.greengrass.SecretManager/secrets.json";
const CURRENT = "AWSCURRENT";
const ARN =
  /^arn:[^:]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:(?:[a-zA-Z0-9\\]+\/)*[\w/+=,.@-]+-[a-zA-Z0-9]+$/;
/** Ours. A device lists some few. */
const SECRETS_MAX = 500;

const Configured = z
  .array(z.object({ arn: z.string(), labels: z.array(z.string()).optional() }))
  .max(SECRETS_MAX);
const Kept = z.object({
  arn: z.string(),
  name: z.string(),
  versionId: z.string(),
  versionStages: z.array(z.string()),
  secretString: z.string().optional(),
  secretBinary: z.string().optional(),
});

interface SecretOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly tree: ConfigurationTree;
  readonly root: DeviceRoot;
  readonly end: SecretEnd;
}

/**
 * The secret manager: what its configuration lists (`cloudSecrets`) is fetched from the cloud and kept sealed on the
 * disk, so that components have it without a network too.
 */
export class SecretManager implements BuiltIn {
  readonly #options: SecretOptions;
  #known: readonly SecretVersion[] = [];
  #fetching: Promise<void> = Promise.resolve();
  #watch: { close(): void } | undefined;

  constructor(options: SecretOptions) {
    this.#options = options;
  }

  handlers(authorize: Authorize): Handlers {
    return { GetSecretValue: (principal, request) => this.#get(principal, request, authorize) };
  }

  /** Rejects where a secret is neither in the cloud's reach nor on the disk. */
  async start(): Promise<void> {
    this.#known = await this.#load();
    const above = ["services", SECRET_MANAGER, "configuration", "cloudsecrets"];
    this.#watch = this.#options.tree.onChange(({ path }) => {
      if (!above.every((name, index) => path[index]?.toLowerCase() === name.toLowerCase())) return;
      this.#fetch().catch((failure: unknown) =>
        this.#options.log.warn("secrets could not be fetched", { why: messageOf(failure) }),
      );
    });
    await this.#fetch();
  }

  async stop(): Promise<void> {
    this.#watch?.close();
  }

  async #get(principal: string, request: JsonObject, authorize: Authorize): Promise<JsonObject> {
    const { secretId, versionId, versionStage, refresh } = parseRequest("GetSecretValue", request);
    if (secretId === "") throw new IpcServiceError("ServiceError", "SecretId absent in the request");
    const arn = this.#arnOf(secretId);
    authorize(principal, SECRET_MANAGER, "GetSecretValue", arn);
    if (versionId !== undefined && versionStage !== undefined)
      throw new IpcServiceError("ServiceError", "Both versionId and Stage are set in the request");
    // A copy that is there serves where the cloud does not answer.
    if (refresh === true) await this.#fetch().catch(() => undefined);
    const found = this.#known.find(
      (known) =>
        known.arn === arn &&
        (versionId === undefined
          ? known.versionStages.includes(versionStage ?? CURRENT)
          : known.versionId === versionId),
    );
    if (found === undefined)
      throw notFound(
        versionId === undefined
          ? `Version stage ${versionStage ?? CURRENT} not found for secret ${secretId}`
          : `Version Id ${versionId} not found for secret ${secretId}`,
      );
    const { secretBinary, secretString = "" } = found;
    return {
      secretId: arn,
      versionId: found.versionId,
      versionStage: [...found.versionStages],
      secretValue: secretBinary === undefined ? { secretString } : { secretBinary },
    };
  }

  #arnOf(secretId: string): string {
    const known = this.#known.find(({ arn, name }) => arn === secretId || name === secretId);
    if (known === undefined) throw notFound(`Secret not found ${secretId}`);
    return known.arn;
  }

  /** One fetch at a time, in order: the configuration that is read last counts. */
  #fetch(): Promise<void> {
    const next = this.#fetching.catch(() => undefined).then(() => this.#fetchAll());
    this.#fetching = next;
    return next;
  }

  async #fetchAll(): Promise<void> {
    const { tree, log, end, root } = this.#options;
    const written = tree.get(["services", SECRET_MANAGER, "configuration", "cloudSecrets"]) ?? [];
    const fetched: SecretVersion[] = [];
    for (const { arn, labels = [] } of Configured.parse(written)) {
      if (!ARN.test(arn)) {
        log.warn("a secret's ARN is not valid and is passed over", { arn });
        continue;
      }
      for (const stage of new Set([...labels, CURRENT])) fetched.push(await this.#one(arn, stage));
    }
    this.#known = fetched;
    const sealed = fetched.map(({ secretString, secretBinary, ...open_ }) => ({
      ...open_,
      ...(secretString === undefined ? {} : { secretString: seal(secretString, end.key, open_.arn) }),
      ...(secretBinary === undefined ? {} : { secretBinary: seal(secretBinary, end.key, open_.arn) }),
    }));
    await root.writeText(FILE, JSON.stringify(sealed), "secret");
  }

  async #one(arn: string, stage: string): Promise<SecretVersion> {
    const { end, log } = this.#options;
    try {
      return await end.source.getSecretValue(arn, stage);
    } catch (cause) {
      const known = this.#known.find((each) => each.arn === arn && each.versionStages.includes(stage));
      if (known === undefined)
        throw new Error(
          `Could not download secret ${arn} with label ${stage} from cloud, you can attempt a re-fetch by redeploying secret manager: ${messageOf(cause)}`,
          { cause },
        );
      log.warn("a secret could not be fetched, and the copy on this device serves", { arn, stage });
      return known;
    }
  }

  async #load(): Promise<readonly SecretVersion[]> {
    const { root, end, log } = this.#options;
    const text = await root.readText(FILE);
    if (text === undefined) return [];
    try {
      return z
        .array(Kept)
        .parse(JSON.parse(text))
        .map(({ secretString, secretBinary, ...rest }) => ({
          ...rest,
          ...(secretString === undefined ? {} : { secretString: open(secretString, end.key, rest.arn) }),
          ...(secretBinary === undefined ? {} : { secretBinary: open(secretBinary, end.key, rest.arn) }),
        }));
    } catch (failure) {
      log.warn("the secrets on this device cannot be read, and are fetched again", {
        why: messageOf(failure),
      });
      return [];
    }
  }
}

function notFound(message: string): IpcServiceError {
  return new IpcServiceError("ResourceNotFoundError", message);
}
