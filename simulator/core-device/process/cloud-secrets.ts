import { hkdfSync } from "node:crypto";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Credentials } from "../credentials/credentials.ts";
import type { SecretEnd, SecretSource } from "../secrets/secret-manager.ts";

const KEY_BYTES = 32;

interface CloudSecretsOptions {
  readonly region: string;
  /** Set where Secrets Manager is not AWS's own. */
  readonly endpoint: string | undefined;
  readonly credentials: () => Promise<Credentials>;
  /** The device's own, in PEM: who does not have it cannot open the copy on the disk. */
  readonly privateKey: string;
}

/** Secrets Manager by the device's role; what is kept on the disk is sealed with a key that follows from the device's own. */
export function cloudSecrets(options: CloudSecretsOptions): SecretEnd & { close(): void } {
  let client: Promise<SecretsManagerClient> | undefined;
  const getSecretValue: SecretSource["getSecretValue"] = async (SecretId, VersionStage) => {
    client ??= secretsClient(options);
    const { GetSecretValueCommand } = await import("@aws-sdk/client-secrets-manager");
    const found = await (await client).send(new GetSecretValueCommand({ SecretId, VersionStage }));
    const {
      ARN = SecretId,
      Name = "",
      VersionId = "",
      VersionStages = [],
      SecretString,
      SecretBinary,
    } = found;
    return {
      arn: ARN,
      name: Name,
      versionId: VersionId,
      versionStages: VersionStages,
      ...(SecretString === undefined ? {} : { secretString: SecretString }),
      ...(SecretBinary === undefined ? {} : { secretBinary: Buffer.from(SecretBinary).toString("base64") }),
    };
  };
  return {
    source: { getSecretValue },
    key: new Uint8Array(hkdfSync("sha256", options.privateKey, "", "secrets of a core device", KEY_BYTES)),
    close() {
      void client?.then((open) => open.destroy());
    },
  };
}

/** Loaded when it is needed: few devices have a secret manager. */
async function secretsClient(options: CloudSecretsOptions): Promise<SecretsManagerClient> {
  const { SecretsManagerClient: Client } = await import("@aws-sdk/client-secrets-manager");
  const { region, endpoint, credentials } = options;
  return new Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    credentials: async () => {
      const { expiration, ...given } = await credentials();
      return { ...given, expiration: new Date(expiration) };
    },
  });
}
