import type { Ipc, JsonObject, JsonValue, Log, ValidationAnswer } from "@coalmine/ports";
import { CoalmineError, messageOf } from "./error.ts";

/** A configuration that a component cannot work with: the key, its value, and what is allowed. */
export class ConfigurationError extends CoalmineError {
  readonly code = "ERR_CONFIGURATION";
}

/** What a schema library gives: zod's `safeParse`. */
export interface ConfigurationSchema<Config> {
  safeParse(value: unknown):
    | { readonly success: true; readonly data: Config }
    | {
        readonly success: false;
        readonly error: {
          readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
        };
      };
}

export interface LiveConfiguration<Config> {
  readonly current: () => Config;
  close(): Promise<void>;
}

/**
 * Reads the component's configuration, answers for the ones that deployments propose, and applies those that arrive
 * while it runs. The same sentence refuses a configuration at start, before a deployment, and live (where the old one
 * stays). `admit` may refuse what a schema cannot see.
 */
export async function liveConfiguration<Config>(
  ports: { readonly ipc: Ipc; readonly log: Log },
  schema: ConfigurationSchema<Config>,
  apply: (config: Config, previous: Config | undefined) => void | Promise<void>,
  admit: (config: Config) => Promise<string | undefined> = () => Promise.resolve(undefined),
): Promise<LiveConfiguration<Config>> {
  const { ipc, log } = ports;
  let current = parseConfiguration(schema, await ipc.getConfiguration([]));
  await apply(current, undefined);
  // One change at a time: a second one waits, and then reads what is newest.
  let turn: Promise<void> = Promise.resolve();
  const changed = await ipc.subscribeToConfigurationUpdate([], () => {
    turn = turn.then(async () => {
      try {
        const next = parseConfiguration(schema, await ipc.getConfiguration([]));
        if (JSON.stringify(next) === JSON.stringify(current)) return;
        const previous = current;
        current = next;
        await apply(next, previous);
      } catch (refused) {
        log.error("a configuration change was refused and the running one kept", {
          reason: messageOf(refused),
        });
      }
    });
  });
  const asked = await ipc.subscribeToValidateConfigurationUpdates(
    async (proposed): Promise<ValidationAnswer> => {
      try {
        const refusal = await admit(parseConfiguration(schema, proposed));
        return refusal === undefined ? { status: "ACCEPTED" } : { status: "REJECTED", message: refusal };
      } catch (refused) {
        return { status: "REJECTED", message: messageOf(refused) };
      }
    },
  );
  return {
    current: () => current,
    close: async () => {
      await asked.close();
      await changed.close();
      await turn;
    },
  };
}

/** Parses a component's configuration; `accessControl` is Greengrass's own business. */
export function parseConfiguration<Config>(schema: ConfigurationSchema<Config>, value: JsonValue): Config {
  const given: JsonObject = isObject(value) ? { ...value } : {};
  delete given["accessControl"];
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const sentences = parsed.error.issues.slice(0, 5).map(({ path, message }) => {
    const at = path.reduce<unknown>(
      (inner, key) =>
        isObject(inner) ? inner[String(key)] : Array.isArray(inner) ? inner[Number(key)] : undefined,
      given,
    );
    return `"${path.map(String).join(".")}" is ${at === undefined ? "missing" : JSON.stringify(at)}: ${message}`;
  });
  throw new ConfigurationError(
    `the configuration cannot be used: ${sentences.join("; ")}. Correct it in the deployment's configurationUpdate.`,
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
