import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CoalmineError, jsonLog, messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import * as z from "zod";
import { startCloud } from "./start-cloud.ts";

/** With `--json` one line on standard output says where the cloud is. */
const usage = `usage: simulator/cloud/main.ts --state DIR [--region us-east-1] [--account 123456789012] [--port 0]
  [--host 127.0.0.1 --allow-remote] [--mqtt-port 0] [--alpn-port 0] [--data-plane-port 0] [--credentials-port 0] [--json]`;
const port = z.coerce.number().int().min(0).max(65_535);
const Options = z.object({
  state: z.string().min(1),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  account: z.string().regex(/^\d{12}$/),
  host: z.string(),
  "allow-remote": z.boolean(),
  port,
  "mqtt-port": port,
  "alpn-port": port,
  "data-plane-port": port,
  "credentials-port": port,
  json: z.boolean(),
});
const Secrets = z.object({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  controlToken: z.string(),
});

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const stopped = new Promise<void>((stop) => {
    process.once("SIGTERM", () => stop());
    process.once("SIGINT", () => stop());
  });
  await mkdir(options.state, { recursive: true, mode: 0o700 });
  const { controlToken, ...credentials } = await readSecrets(options.state);
  const started = await startCloud({
    folder: options.state,
    region: options.region,
    accountId: options.account,
    host: options.host,
    port: options.port,
    allowRemote: options["allow-remote"],
    devicePorts: {
      mqtt: options["mqtt-port"],
      alpn: options["alpn-port"],
      dataPlane: options["data-plane-port"],
      credentials: options["credentials-port"],
    },
    credentials,
    controlToken,
    clock: systemClock,
    wallClock: systemClock,
    random: systemRandom,
    log: jsonLog("cloud", systemClock, (line) => process.stderr.write(`${line}\n`)),
  });
  const where = {
    endpoint: started.endpoint,
    region: options.region,
    accountId: options.account,
    ports: started.ports,
    ...credentials,
    controlToken,
    caFile: join(options.state, "authority", "ca.pem"),
  };
  process.stdout.write(
    options.json
      ? `${JSON.stringify(where)}\n`
      : `The cloud listens at ${started.endpoint}. Point an SDK at it:\n  export AWS_ENDPOINT_URL=${started.endpoint} AWS_REGION=${options.region} AWS_ACCESS_KEY_ID=${credentials.accessKeyId} AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey}\n`,
  );
  await stopped;
  await started.close();
  return 0;
}

function readOptions(): z.infer<typeof Options> | undefined {
  try {
    const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
    const { values } = parseArgs({
      options: {
        state: { type: "string" },
        region: text("us-east-1"),
        account: text("123456789012"),
        host: text("127.0.0.1"),
        "allow-remote": { type: "boolean", default: false },
        port: text("0"),
        "mqtt-port": text("0"),
        "alpn-port": text("0"),
        "data-plane-port": text("0"),
        "credentials-port": text("0"),
        json: { type: "boolean", default: false },
      },
    });
    return Options.safeParse(values).data;
  } catch {
    return undefined;
  }
}

/** Made once for a state folder. They open this cloud and nothing else. */
async function readSecrets(folder: string): Promise<z.infer<typeof Secrets>> {
  const path = join(folder, "operator.json");
  const kept = await readFile(path, "utf8").catch(() => undefined);
  if (kept !== undefined) return Secrets.parse(JSON.parse(kept));
  const made = {
    accessKeyId: `AKIALOCAL${randomBytes(6).toString("hex").toUpperCase().slice(0, 11)}`,
    secretAccessKey: randomBytes(30).toString("base64url"),
    controlToken: randomBytes(24).toString("base64url"),
  };
  await writeFile(path, `${JSON.stringify(made)}\n`, { mode: 0o600 });
  return made;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (failure: unknown) => {
    process.stderr.write(
      `${failure instanceof CoalmineError ? failure.message : `The cloud failed: ${messageOf(failure)}`}\n`,
    );
    process.exitCode = 1;
  },
);
