/**
 * What sets simulated fleets apart: noise of devices that lasts, drift, shocks shared by all, a daily cycle, silence.
 * Nothing in them is independent from minute to minute, as nothing in a real fleet is.
 */
export interface FleetTraits {
  readonly errorRate: number;
  /** Standard deviations of the logarithm of a device's error rate: lasting, drifting, and shared by all. */
  readonly deviceSd: number;
  readonly driftSd: number;
  readonly shockSd: number;
  readonly dailyAmplitude: number;
  /** Added to everybody's logarithm from the assignment on: a working day after a Sunday. */
  readonly stepAtAssignment: number;
  /** Mean of a device while it is on. */
  readonly messagesPerHour: number;
  readonly onHoursMean: number;
  readonly offHoursMean: number;
  /** Share of devices that are silent for a day, each from a time of its own within the two days around the assignment. */
  readonly silentDayShare: number;
  /** Share of devices that stand at one site, a stratum of its own, and are all cut off for so long on the second day. */
  readonly site: { readonly share: number; readonly outageHours: number };
}

/** The reference fleet: 2 % errors, devices that differ by half an e-fold, 9 % of the time silent. */
export const referenceFleet: FleetTraits = {
  errorRate: 0.02,
  deviceSd: 0.5,
  driftSd: 0.3,
  shockSd: 0.2,
  dailyAmplitude: 0.3,
  stepAtAssignment: 0,
  messagesPerHour: 360,
  onHoursMean: 20,
  offHoursMean: 2,
  silentDayShare: 0,
  site: { share: 0, outageHours: 0 },
};

export const fleets = {
  F1: referenceFleet,
  /** Devices that differ widely. */
  F2: { ...referenceFleet, deviceSd: 1 },
  /** A fifth is silent for a day. */
  F3: { ...referenceFleet, silentDayShare: 0.2 },
  /** A strong daily cycle, and twice the errors on the second day. */
  F4: { ...referenceFleet, dailyAmplitude: 1, stepAtAssignment: 0.7 },
  /** Ten events a day and device. */
  F5: { ...referenceFleet, messagesPerHour: 10 / 24 / referenceFleet.errorRate },
  /** A site of 30 % of the devices with an outage that they share. */
  F6: { ...referenceFleet, site: { share: 0.3, outageHours: 6 } },
} as const satisfies Record<string, FleetTraits>;

export type FleetName = keyof typeof fleets;
