import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { getPriority, setPriority } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CoalmineError } from "@coalmine/runtime";
import * as z from "zod";
import { devicePolicy, names } from "../../infra/identity/identity.ts";
import { YOUNG_SPACE } from "../../simulator/fleet/driven/young-space.ts";
import { MARK, type Places } from "./state.ts";
import { buckets, HOME, type Secrets } from "./home-region.ts";

export const DRIVEN = { name: "driven", region: "eu-central-1" } as const;
const START_MS_MAX = 60_000;
/** As `nice`: while a fleet grows old, the stages of a push that somebody waits for come first. */
const BACKGROUND = 3;
const STOP_MS_MAX = 10_000;

export class DrivenRegionError extends CoalmineError {
  readonly code = "ERR_DRIVEN_REGION";
}

const Where = z.object({
  endpoint: z.url(),
  controlUrl: z.url(),
  controlToken: z.string(),
  now: z.number(),
  devices: z.array(z.string()),
});
export type DrivenWhere = z.infer<typeof Where>;

/** What a driven region tells about its instruments: the truth that the lake is compared with. */
const Oracle = z.object({
  now: z.number(),
  readings: z.int(),
  instruments: z.array(
    z.object({
      instrument: z.string(),
      unacknowledged: z.int(),
      boots: z.array(z.object({ boot: z.int(), readings: z.int(), channels: z.int() })),
    }),
  ),
});

export interface DrivenRegion {
  readonly pid: number;
  readonly where: DrivenWhere;
  control(command: "run-until" | "advance" | "oracle" | "status" | "fault", body: object): Promise<unknown>;
  oracle(before?: number): Promise<z.infer<typeof Oracle>>;
  stop(): Promise<void>;
}

/** The driven region in a process of its own: imported bundles are never freed, so its end frees them. */
export async function startDrivenRegion(
  at: Places,
  devices: number,
  seed: string,
  secrets: Secrets,
): Promise<DrivenRegion> {
  const state = join(at.state, "driven");
  await mkdir(state, { recursive: true, mode: 0o700 });
  const settings = join(state, "settings.json");
  await writeFile(settings, JSON.stringify(settingsOf(secrets)), { mode: 0o600 });
  const program = join(at.root, "simulator/fleet/driven/main.ts");
  const words = [
    "--state",
    state,
    "--settings",
    settings,
    "--region",
    DRIVEN.region,
    "--devices",
    String(devices),
    "--seed",
    seed,
  ];
  const child = spawn(
    process.execPath,
    [
      "--max-old-space-size=3072",
      ...YOUNG_SPACE,
      program,
      ...words,
      "--handlers",
      join(import.meta.dirname, "driven-handlers.ts"),
      "--json",
    ],
    {
      cwd: at.root,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: { ...process.env, [MARK]: at.state },
    },
  );
  if (child.pid !== undefined) stepBack(child.pid);
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaints = (complaints + chunk.toString("utf8")).slice(-4000);
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
    await ended;
    clearTimeout(late);
  };
  const line = await Promise.race([
    new Promise<string>((resolve) => createInterface(child.stdout).once("line", resolve)),
    ended.then(() => undefined),
    new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), START_MS_MAX).unref()),
  ]);
  if (line === undefined) {
    await stop();
    throw new DrivenRegionError(
      `the driven region did not come up within ${START_MS_MAX / 1000} s; it said: ${complaints.trim() || "nothing"}`,
    );
  }
  const where = Where.parse(JSON.parse(line));
  const control = async (command: string, body: object): Promise<unknown> => {
    const response = await fetch(`${where.controlUrl}/${command}`, {
      method: "POST",
      headers: { authorization: `Bearer ${where.controlToken}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok)
      throw new DrivenRegionError(
        `the driven region refused ${command} with ${response.status}: ${(await response.text()).slice(0, 500)}`,
      );
    return response.json();
  };
  return {
    pid: child.pid ?? 0,
    where,
    control,
    oracle: async (before) => Oracle.parse(await control("oracle", before === undefined ? {} : { before })),
    stop,
  };
}

/** Names and policies of the real account, as data. */
function settingsOf({ accessKeyId, secretAccessKey, controlToken }: Secrets): object {
  const place = { region: DRIVEN.region, accountId: HOME.accountId, partition: "aws" };
  const { artifacts, lake } = buckets(DRIVEN.region);
  return {
    accountId: HOME.accountId,
    policies: [{ name: names.devicePolicy, document: devicePolicy(place) }],
    thingGroups: [names.fleetGroup, names.mainGroup, names.canaryGroup],
    roleAlias: {
      name: names.roleAlias,
      roleArn: `arn:aws:iam::${HOME.accountId}:role/${names.tokenExchangeRole}`,
    },
    operator: { accessKeyId, secretAccessKey, controlToken },
    buckets: [artifacts, lake],
    devices: { policies: [names.devicePolicy], groups: [names.fleetGroup, names.mainGroup] },
  };
}

/** Linux weighs whole sessions against each other, and `nice` only within one: a process in its own needs both. */
function stepBack(pid: number): void {
  // Whoever was started with less may not have more.
  setPriority(pid, Math.max(getPriority(pid), BACKGROUND));
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(BACKGROUND));
  } catch {
    // Without session groups `nice` alone counts.
  }
}
