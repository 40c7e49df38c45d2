import { createHash } from "node:crypto";
import type { Clock, JsonObject, Random } from "@coalmine/ports";
import type { ConfigurationTree } from "../configuration/tree.ts";

const USER = "debug";
const PASSWORD_BYTES = 32;
const VALID_MS = 8 * 3_600_000;

/** A password for the device's console, good for eight hours; it is never on the disk. */
export function debugPassword(options: {
  readonly clock: Clock;
  readonly random: Random;
  readonly tree: ConfigurationTree;
}): JsonObject {
  const { clock, random, tree } = options;
  const bytes = Uint8Array.from({ length: PASSWORD_BYTES }, () => Math.floor(random.next() * 256));
  const password = createHash("sha256").update(bytes).digest("base64url");
  const expiration = clock.now() + VALID_MS;
  tree.merge(
    ["services", "aws.greengrass.Cli", "_debugPassword", USER, password],
    { expiration },
    clock.now(),
  );
  return { username: USER, password, passwordExpiration: expiration / 1000 };
}
