import type { HostedDevice } from "../hosted/hosted-device.ts";
import type { WitnessedRegion } from "../evidence/witnessed-region.ts";
import type { Release } from "../release/release-folder.ts";
import { comparedReleases } from "./compared-releases.ts";
import type { RegionEvent } from "../driven/region.ts";
import type { Chart, Lane, LaneState, Phase, PlannedFault, ScenarioCourse } from "./report.ts";

const LOOK_EVERY_MS = 60_000;
/** More points than a chart of this width can show. */
const CHART_POINTS_MAX = 300;

interface Look {
  readonly atMs: number;
  readonly states: readonly LaneState[];
  readonly connected: number;
  readonly waitingReadings: number;
  readonly uploadedBytes: number;
  readonly heartbeats: number;
}

/** Writes down how a scenario goes, by one look a minute at every device. It changes nothing. */
export class Course {
  readonly #of: WitnessedRegion;
  readonly #releases: { readonly running: Release | undefined; readonly candidate: Release };
  readonly #fromMs: number;
  readonly #phases: { what: string; fromMs: number }[] = [];
  readonly #faults: PlannedFault[] = [];
  readonly #looks: Look[] = [];
  #eventsSeen = 0;
  #uploadedBytes = 0;

  constructor(
    of: WitnessedRegion,
    releases: { readonly running: Release | undefined; readonly candidate: Release },
  ) {
    this.#of = of;
    this.#releases = releases;
    this.#fromMs = of.region.clock.now();
    this.#look();
  }

  /** From now on this is what happens, and no longer what was before. */
  phase(what: string): void {
    this.#phases.push({ what, fromMs: this.#of.region.clock.now() });
  }

  /** Something was broken on purpose, for so long where it has an end. */
  fault(what: string, devices: readonly (HostedDevice | undefined)[], forMs?: number): void {
    const fromMs = this.#of.region.clock.now();
    const things = devices.flatMap((device) => (device === undefined ? [] : [device.thingName]));
    this.#faults.push({ what, things, fromMs, ...(forMs === undefined ? {} : { toMs: fromMs + forMs }) });
  }

  told(): Omit<ScenarioCourse, "name" | "about" | "seconds"> {
    const { running, candidate } = this.#releases;
    const toMs = this.#of.region.clock.now();
    return {
      fromMs: this.#fromMs,
      toMs,
      phases: this.#phases.map((phase, index): Phase => ({
        ...phase,
        toMs: this.#phases[index + 1]?.fromMs ?? toMs,
      })),
      faults: this.#faults,
      incidents: this.#of.events.flatMap(incidentOf),
      lanes: this.#of.region.devices.map(({ thingName }, index): Lane => ({
        thing: thingName,
        spans: this.#spans(index, toMs),
      })),
      charts: this.#charts(),
      compared: comparedReleases(this.#of.health.versions(), running, candidate),
    };
  }

  #look(): void {
    const { region, events, health } = this.#of;
    for (; this.#eventsSeen < events.length; this.#eventsSeen++) {
      const event = events[this.#eventsSeen];
      if (event?.kind === "uploaded") this.#uploadedBytes += event.bytes;
    }
    this.#looks.push({
      atMs: region.clock.now(),
      states: region.devices.map((device) => this.#stateOf(device)),
      connected: region.devices.filter((device) => device.hasPower && device.core.isConnected).length,
      waitingReadings: region.devices.reduce((sum, { instrument }) => sum + instrument.unacknowledged, 0),
      uploadedBytes: this.#uploadedBytes,
      heartbeats: health.heartbeats,
    });
    region.clock.timer(LOOK_EVERY_MS, () => this.#look());
  }

  #stateOf(device: HostedDevice): LaneState {
    if (!device.hasPower) return "no-power";
    const components = device.components();
    if (components.some(({ state }) => state === "BROKEN")) return "broken";
    if (!device.network.isOnline) return "no-link";
    const has = (release: Release | undefined): boolean =>
      release?.components.every(({ component, version }) =>
        components.some(
          (one) =>
            one.name === component &&
            one.version === version &&
            (one.state === "RUNNING" || one.state === "FINISHED"),
        ),
      ) ?? false;
    return has(this.#releases.running) ? "running" : has(this.#releases.candidate) ? "candidate" : "between";
  }

  #spans(device: number, toMs: number): Lane["spans"] {
    const spans: { state: LaneState; fromMs: number; toMs: number }[] = [];
    for (const { atMs, states } of this.#looks) {
      const state = states[device] ?? "no-power";
      const last = spans.at(-1);
      if (last !== undefined) last.toMs = atMs;
      if (last?.state !== state) spans.push({ state, fromMs: atMs, toMs });
    }
    const last = spans.at(-1);
    if (last !== undefined) last.toMs = toMs;
    return spans;
  }

  #charts(): Chart[] {
    const every = Math.ceil(this.#looks.length / CHART_POINTS_MAX);
    const looks = this.#looks.filter((_, index) => index % every === 0 || index === this.#looks.length - 1);
    const atMs = looks.map((look) => look.atMs);
    const chart = (title: string, unit: string, series: Record<string, (look: Look) => number>): Chart => ({
      title,
      unit,
      atMs,
      series: Object.entries(series).map(([name, value]) => ({ name, values: looks.map(value) })),
    });
    return [
      chart("Devices", "devices", {
        connected: (look) => look.connected,
        "on the candidate": ({ states }) => states.filter((state) => state === "candidate").length,
      }),
      chart("Readings that wait in instruments", "readings", { waiting: (look) => look.waitingReadings }),
      chart("Uploaded since the beginning", "KiB", { uploaded: (look) => look.uploadedBytes / 1024 }),
      chart("Heartbeats since the beginning", "heartbeats", { heard: (look) => look.heartbeats }),
    ];
  }
}

/** A component that gave up, or a deployment that did not end well. */
function incidentOf(told: RegionEvent): ScenarioCourse["incidents"] {
  if (told.kind !== "device") return [];
  const { at: atMs, thingName: thing, event } = told;
  if (event.kind === "component" && event.component.state === "BROKEN")
    return [{ atMs, thing, what: `${event.component.name} ${event.component.version} is BROKEN` }];
  if (event.kind === "deployment" && event.result !== undefined && event.result.status !== "SUCCEEDED")
    return [{ atMs, thing, what: `the deployment ended as ${event.result.detailedStatus}` }];
  return [];
}
