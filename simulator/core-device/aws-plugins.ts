import type { Clock, Log, Random } from "@coalmine/ports";
import type { CloudSession } from "./cloud/session.ts";
import type { ConfigurationTree } from "./configuration/tree.ts";
import { CliClients } from "./console/cli-clients.ts";
import { CliOperations } from "./console/cli-operations.ts";
import type { LocalDeployments } from "./deployment/local-deployments.ts";
import type { Authorize, Handlers } from "./ipc/handler.ts";
import type { LocalTopics } from "./ipc/local-topics.ts";
import { CLI, DISK_SPOOLER, SECRET_MANAGER, SHADOW_MANAGER } from "./ipc/plugins.ts";
import type { BuiltIn } from "./lifecycle/built-in.ts";
import type { Services } from "./lifecycle/services.ts";
import type { DeviceRoot } from "./ports.ts";
import { SecretManager, type SecretEnd } from "./secrets/secret-manager.ts";
import { ShadowManager } from "./shadows/shadow-manager.ts";
import { shadowOperations } from "./shadows/shadow-operations.ts";
import { ShadowStore } from "./shadows/shadow-store.ts";
import { ShadowSync } from "./shadows/shadow-sync.ts";

interface PluginOptions {
  readonly thingName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly root: DeviceRoot;
  readonly tree: ConfigurationTree;
  readonly session: CloudSession;
  readonly topics: LocalTopics;
  readonly secrets: SecretEnd | undefined;
  readonly userId: number;
  /** Puts the messages that wait for IoT Core where the nucleus's configuration wants them. */
  readonly placeSpool: () => Promise<void>;
}

/** AWS's own plugins that this device can be: each comes to life when a deployment brings its component. */
export class AwsPlugins {
  readonly builtIns: Readonly<Record<string, BuiltIn>>;
  readonly #options: PluginOptions;
  readonly #clients: CliClients;
  readonly #secrets: SecretManager | undefined;
  readonly #shadows: ShadowManager;

  constructor(options: PluginOptions) {
    this.#options = options;
    const { root, random, log, userId, secrets } = options;
    this.#clients = new CliClients(root, random, userId);
    this.#secrets = secrets === undefined ? undefined : new SecretManager({ ...options, end: secrets });
    const store = new ShadowStore(root, log);
    const shadows = new ShadowManager({ ...options, store });
    const sync = new ShadowSync({ ...options, store, shadows });
    this.#shadows = shadows;
    this.builtIns = {
      [CLI]: this.#clients,
      ...(this.#secrets === undefined ? {} : { [SECRET_MANAGER]: this.#secrets }),
      [SHADOW_MANAGER]: inOrder(shadows, sync),
      // After a restart for a deployment the nucleus comes up before its new configuration does.
      [DISK_SPOOLER]: { start: options.placeSpool, stop: async () => undefined },
    };
  }

  handlers(authorize: Authorize, services: Services, local: LocalDeployments): readonly Handlers[] {
    const { clock, root } = this.#options;
    const cli = new CliOperations({ ...this.#options, rootPath: root.path, services, local, authorize });
    return [
      cli.handlers,
      shadowOperations(this.#shadows, authorize, clock),
      ...(this.#secrets === undefined ? [] : [this.#secrets.handlers(authorize)]),
    ];
  }

  clientOf(token: string): string | undefined {
    return this.#clients.clientOf(token);
  }
}

function inOrder(first: BuiltIn, second: BuiltIn): BuiltIn {
  return {
    start: async () => {
      await first.start();
      await second.start();
    },
    stop: async () => {
      await second.stop();
      await first.stop();
    },
  };
}
