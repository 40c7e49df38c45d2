import type { SecretEnd, SecretVersion } from "../secrets/secret-manager.ts";

/** A Secrets Manager that holds what a test puts in, by ARN and stage, and can be cut off. */
export function secretEnd(): SecretEnd & {
  readonly versions: Map<string, SecretVersion>;
  isReachable: boolean;
} {
  const versions = new Map<string, SecretVersion>();
  const end = {
    versions,
    isReachable: true,
    key: new Uint8Array(32).fill(7),
    source: {
      getSecretValue: async (secretId: string, versionStage: string): Promise<SecretVersion> => {
        if (!end.isReachable) throw new Error("the network is down");
        const found = versions.get(`${secretId} ${versionStage}`);
        if (found === undefined) throw new Error("Secrets Manager can't find the specified secret.");
        return found;
      },
    },
  };
  return end;
}
