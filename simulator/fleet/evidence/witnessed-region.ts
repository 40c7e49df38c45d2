import { jsonLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { hostPlatform } from "../driven/platform.ts";
import { DrivenRegion, type RegionEvent, type RegionOptions } from "../driven/region.ts";
import { usualSettings } from "../driven/usual-settings.ts";
import type { LoadLine } from "../driven/reference-load.ts";
import { ConductWitness } from "./conduct-witness.ts";
import { HealthWitness } from "./health.ts";
import { UsageWitness } from "./usage-witness.ts";

/** A region of its own, and everything that is worth knowing of what happens in it. */
export interface WitnessedRegion {
  readonly region: DrivenRegion;
  readonly health: HealthWitness;
  readonly events: readonly RegionEvent[];
  readonly conduct: ConductWitness;
  readonly usage: UsageWitness;
  /** What the load had components log, where that is witnessed. */
  readonly lines: LoadLine[];
  /** What no log may hold. */
  readonly secrets: ReadonlySet<string>;
}

const REGION = "eu-central-1";

/** Opens it with the usual settings; nobody from outside calls its cloud. */
export async function openWitnessed(
  options: Pick<
    RegionOptions,
    | "devices"
    | "seed"
    | "artifactFolder"
    | "faultyShare"
    | "functions"
    | "pointwiseDevices"
    | "plan"
    | "part"
    | "load"
    | "switchingOnMs"
  > & {
    /** A long run of many devices would keep a million lines. */
    readonly keepsLines?: boolean;
  },
): Promise<WitnessedRegion> {
  const health = new HealthWitness();
  const events: RegionEvent[] = [];
  const lines: LoadLine[] = [];
  const secrets = new Set<string>();
  const conduct = new ConductWitness();
  const usage = new UsageWitness();
  const region = await DrivenRegion.open({
    ...options,
    region: REGION,
    settings: usualSettings(REGION),
    platform: hostPlatform(),
    wallClock: systemClock,
    credentials: { accessKeyId: "AKIANOBODY", secretAccessKey: "none" },
    log: jsonLog("cloud", systemClock, (line) => process.stderr.write(`${line}\n`)),
    onMessage: () => ({
      hear: (topic, payload) => health.hear(topic, payload),
      settled: () => Promise.resolve(),
    }),
    conductOf: (thingName) => conduct.ofThing(thingName),
    onEvent: (event) => void events.push(event),
    onLine: options.keepsLines === true ? (line) => void lines.push(line) : undefined,
    confided: (secret) => {
      if (secret !== "") secrets.add(secret);
    },
  });
  usage.watch(region);
  return { region, health, events, lines, secrets, conduct, usage };
}
