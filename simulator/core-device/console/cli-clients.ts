import type { Random } from "@coalmine/ports";
import type { DeviceRoot } from "../ports.ts";
import type { BuiltIn } from "../lifecycle/built-in.ts";
import { CLI } from "../ipc/plugins.ts";

const PREFIX = "greengrass-cli-";
const FOLDER = "cli_ipc_info";
const TOKEN_LETTERS = 16;

/** The command line's component itself, or a client that has read its token. */
export function isClient(principal: string): boolean {
  return principal === CLI || principal.startsWith(PREFIX);
}

/**
 * Tokens of `greengrass-cli`: while its component runs, a file of `<root>/cli_ipc_info` lets a user of this machine in
 * who may read it.
 */
export class CliClients implements BuiltIn {
  readonly #root: DeviceRoot;
  readonly #random: Random;
  readonly #user: string;
  #token: string | undefined;

  /** `userId` is the user that the device runs as. */
  constructor(root: DeviceRoot, random: Random, userId: number) {
    this.#root = root;
    this.#random = random;
    this.#user = `user-${userId}`;
  }

  clientOf(token: string): string | undefined {
    return token === this.#token ? `${PREFIX}${this.#user}` : undefined;
  }

  async start(): Promise<void> {
    const token = Array.from({ length: TOKEN_LETTERS }, () =>
      String.fromCodePoint(65 + Math.floor(this.#random.next() * 26)),
    ).join("");
    this.#token = token;
    const text = JSON.stringify({
      cli_auth_token: token,
      domain_socket_path: `${this.#root.path}/ipc.socket`,
    });
    await this.#root.writeText(`${FOLDER}/${this.#user}`, text, "secret");
  }

  async stop(): Promise<void> {
    this.#token = undefined;
    await this.#root.removeTree(FOLDER);
  }
}
