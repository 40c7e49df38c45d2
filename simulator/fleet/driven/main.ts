import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { CoalmineError, jsonLog, messageOf } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import * as z from "zod";
import type { Cloud } from "../../cloud/cloud.ts";
import type { LocalIot } from "../../cloud/iot-parts.ts";
import { hostPlatform } from "./platform.ts";
import { DrivenRegion, type MessageHandler } from "./region.ts";
import { serveRegion } from "./serve.ts";
import { RegionSettings } from "./settings.ts";

/** Serves a driven region until SIGTERM, or until its control API is told to stop. One line of JSON says where it is. */
const usage = `usage: simulator/fleet/driven/main.ts --state DIR --settings FILE [--region eu-central-1] [--devices 8] [--seed 1]
  [--port 0] [--handlers FILE] [--json]`;
const FAREWELL_MS = 300;
const Options = z.object({
  state: z.string().min(1),
  settings: z.string().min(1),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  devices: z.coerce.number().int().min(1).max(10_000),
  seed: z.string().min(1),
  port: z.coerce.number().int().min(0).max(65_535),
  handlers: z.string().optional(),
  json: z.boolean(),
});

/** What a module given by `--handlers` exports: what becomes of the messages that devices publish to IoT Core. */
const Handlers = z.object({
  handlers: z.custom<(cloud: Cloud<LocalIot>) => MessageHandler>((value) => typeof value === "function"),
});

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const signalled = new Promise<void>((stop) => {
    process.once("SIGTERM", () => stop());
    process.once("SIGINT", () => stop());
  });
  const settings = RegionSettings.safeParse(JSON.parse(readFileSync(options.settings, "utf8")));
  if (!settings.success) {
    process.stderr.write(`${options.settings} cannot be used: ${z.prettifyError(settings.error)}\n`);
    return 2;
  }
  const artifactFolder = join(resolve(options.state), "artifacts");
  mkdirSync(artifactFolder, { recursive: true });
  const { controlToken, ...credentials } = settings.data.operator ?? {
    accessKeyId: `AKIALOCAL${randomBytes(6).toString("hex").toUpperCase().slice(0, 11)}`,
    secretAccessKey: randomBytes(30).toString("base64url"),
    controlToken: randomBytes(24).toString("base64url"),
  };
  const onMessage = options.handlers === undefined ? undefined : await loadHandlers(options.handlers);
  const region = await DrivenRegion.open({
    region: options.region,
    settings: settings.data,
    devices: options.devices,
    seed: options.seed,
    artifactFolder,
    platform: hostPlatform(),
    wallClock: systemClock,
    credentials,
    log: jsonLog(options.region, systemClock, (line) => process.stderr.write(`${line}\n`)),
    ...(onMessage === undefined ? {} : { onMessage }),
  });
  const served = await serveRegion(region, { port: options.port, controlToken });
  const where = {
    endpoint: served.endpoint,
    controlUrl: served.controlUrl,
    controlToken,
    region: options.region,
    accountId: settings.data.accountId,
    credentials,
    now: region.clock.now(),
    devices: region.devices.map(({ thingName }) => thingName),
  };
  process.stdout.write(
    options.json
      ? `${JSON.stringify(where)}\n`
      : `${options.region} stands at ${new Date(where.now).toISOString()} with ${where.devices.length} devices; its endpoint is ${served.endpoint}\n`,
  );
  await Promise.race([signalled, served.stopAsked]);
  // A client's idle connection keeps nobody waiting.
  await Promise.race([served.close(), systemClock.sleep(FAREWELL_MS)]);
  await region.close();
  return 0;
}

async function loadHandlers(file: string): Promise<(cloud: Cloud<LocalIot>) => MessageHandler> {
  const loaded: unknown = await import(pathToFileURL(resolve(file)).href);
  const module = Handlers.safeParse(loaded);
  if (module.success) return module.data.handlers;
  throw new Error(`${file} does not export a function \`handlers(cloud)\`; --handlers needs one`);
}

function readOptions(): z.infer<typeof Options> | undefined {
  try {
    const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
    const { values } = parseArgs({
      options: {
        state: { type: "string" },
        settings: { type: "string" },
        region: text("eu-central-1"),
        devices: text("8"),
        seed: text("1"),
        port: text("0"),
        handlers: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    return Options.safeParse(values).data;
  } catch {
    return undefined;
  }
}

main().then(
  (code) => process.exit(code),
  (failure: unknown) => {
    process.stderr.write(
      `${failure instanceof CoalmineError ? failure.message : `The region failed: ${messageOf(failure)}`}\n`,
    );
    process.exit(1);
  },
);
