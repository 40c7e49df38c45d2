import { jsonLog } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { hostPlatform } from "../driven/platform.ts";
import { DrivenRegion, type RegionEvent } from "../driven/region.ts";
import { usualSettings } from "../driven/usual-settings.ts";
import type { LoadLine } from "../driven/reference-load.ts";
import { HealthWitness } from "./health.ts";

/** A region of its own, and everything that is worth knowing of what happens in it. */
export interface WitnessedRegion {
  readonly region: DrivenRegion;
  readonly health: HealthWitness;
  readonly events: readonly RegionEvent[];
  /** What the load had components log. */
  readonly lines: LoadLine[];
  /** What no log may hold. */
  readonly secrets: ReadonlySet<string>;
}

const REGION = "eu-central-1";

/** Opens it with the usual settings; nobody from outside calls its cloud. */
export async function openWitnessed(options: {
  readonly devices: number;
  readonly seed: string;
  readonly artifactFolder: string;
  readonly faultyShare?: number;
  readonly pointwiseDevices?: number;
}): Promise<WitnessedRegion> {
  const health = new HealthWitness();
  const events: RegionEvent[] = [];
  const lines: LoadLine[] = [];
  const secrets = new Set<string>();
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
    onEvent: (event) => void events.push(event),
    onLine: (line) => void lines.push(line),
    confided: (secret) => {
      if (secret !== "") secrets.add(secret);
    },
  });
  return { region, health, events, lines, secrets };
}
