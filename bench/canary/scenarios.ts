import { fleets, type FleetTraits } from "../../pipeline/judge/fleets.ts";

/** What a bad release does, from its installation on a device. */
export interface Harm {
  /** By how much it multiplies errors, or milliseconds, so many hours after it was installed. */
  readonly errors?: (hours: number) => number;
  readonly latency?: (hours: number) => number;
  /** Errors come at the fleet's one site only. */
  readonly onlyAtSite?: true;
  /** Shares of devices that fall silent at once, that crash in loops after half an hour, that do not install it. */
  readonly bricks?: number;
  readonly crashLoops?: number;
  readonly failedInstalls?: number;
}

export interface Scenario {
  readonly name: string;
  readonly fleet: keyof typeof benchFleets;
  readonly harm: Harm;
}

export interface BenchFleet {
  readonly traits: FleetTraits;
  /** The canary is a person's choice, of devices whose errors are so many times those of the others at all times. */
  readonly handPicked?: number;
}

export const benchFleets = {
  reference: { traits: fleets.F1 },
  silentDay: { traits: fleets.F3 },
  monday: { traits: fleets.F4 },
  outage: { traits: fleets.F6 },
  handPicked: { traits: fleets.F1, handPicked: 1.65 },
} as const satisfies Record<string, BenchFleet>;

const times = (ratio: number) => () => ratio;

/** Each has a twin without the harm on the same fleet, which shows the false halts. */
export const scenarios: readonly Scenario[] = [
  { name: "half as many errors again", fleet: "reference", harm: { errors: times(1.5) } },
  { name: "four times the errors", fleet: "reference", harm: { errors: times(4) } },
  { name: "twice the errors, a fifth silent for a day", fleet: "silentDay", harm: { errors: times(2) } },
  { name: "twice the errors, on a Monday", fleet: "monday", harm: { errors: times(2) } },
  { name: "twice the errors, a shared outage", fleet: "outage", harm: { errors: times(2) } },
  {
    name: "four times the errors at one site",
    fleet: "outage",
    harm: { errors: times(4), onlyAtSite: true },
  },
  { name: "a third slower", fleet: "reference", harm: { latency: times(4 / 3) } },
  {
    name: "slow burn, errors triple within the day",
    fleet: "reference",
    harm: { errors: (hours) => 1 + hours / 12 },
  },
  { name: "two of five brick", fleet: "reference", harm: { bricks: 0.4 } },
  { name: "two of five crash in loops", fleet: "reference", harm: { crashLoops: 0.4 } },
  { name: "three of five do not install", fleet: "reference", harm: { failedInstalls: 0.6 } },
  { name: "twice the errors, picked by hand", fleet: "handPicked", harm: { errors: times(2) } },
];
