import type { Clock } from "@coalmine/ports";
import { SeededRandom, silentLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { Cloud } from "../cloud.ts";
import type { CloudFunctions } from "../functions.ts";
import { openIotParts, type LocalIot } from "../iot-parts.ts";
import { memoryVault, type Vault } from "../secretsmanager/vault.ts";
import { postToLoopback } from "../sns/http-endpoint.ts";
import { memoryStore } from "../store/memory-store.ts";
import type { Store } from "../store/store.ts";

/** A cloud that listens on a free port, and what an SDK client is configured with to reach it. For tests. */
export interface TestCloud {
  readonly cloud: Cloud<LocalIot>;
  readonly endpoint: string;
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly maxAttempts: number;
  };
  close(): Promise<void>;
}

export const operator = { accessKeyId: "AKIACOALMINELOCAL000", secretAccessKey: "local-secret" };

export async function startTestCloud(
  options: {
    readonly clock?: Clock;
    readonly wallClock?: Clock;
    readonly store?: Store;
    readonly functions?: CloudFunctions;
    readonly vault?: Vault;
  } = {},
): Promise<TestCloud> {
  const clock = options.clock ?? systemClock;
  const wallClock = options.wallClock ?? systemClock;
  const random = new SeededRandom("test-cloud");
  const cloud = new Cloud({
    place: { region: "us-east-1", accountId: "123456789012" },
    clock,
    wallClock,
    random,
    store: options.store ?? memoryStore(),
    functions: options.functions ?? {},
    vault: options.vault ?? memoryVault(),
    postToEndpoint: postToLoopback,
    log: silentLog,
    credentials: operator,
    iot: await openIotParts({ random, wallClock }),
  });
  const listening = await cloud.listen({ port: 0 });
  return {
    cloud,
    endpoint: listening.endpoint,
    client: {
      endpoint: listening.endpoint,
      region: "us-east-1",
      credentials: operator,
      maxAttempts: 1,
    },
    close: async () => {
      await cloud.stop();
      await listening.close();
    },
  };
}
