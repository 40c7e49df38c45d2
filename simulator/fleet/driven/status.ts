import { ComponentName, ThingName } from "@coalmine/contract";
import * as z from "zod";
import { readRequest } from "./requests.ts";
import type { DrivenRegion } from "./region.ts";
import { hostedFaults } from "./faults.ts";

/** What a driven region tells of itself, and what may be done to it beyond AWS's own calls. */

export function status(region: DrivenRegion) {
  return {
    now: region.clock.now(),
    devices: region.devices.map((device) => ({
      thing: device.thingName,
      power: device.hasPower,
      online: device.network.isOnline,
      connected: device.hasPower && device.core.isConnected,
      idle: device.hasPower && device.core.isIdle,
      components: device.components().map(({ name, version, state }) => ({ name, version, state })),
    })),
  };
}

const OracleRequest = z.strictObject({
  /** Counts only readings sampled before this instant (ms). */
  before: z.number().optional(),
});

/** What the instruments measured: the truth that the lake is compared with. */
export function oracle(region: DrivenRegion, input: unknown) {
  const { before } = readRequest(OracleRequest, input);
  const instruments = region.devices.map((device) => {
    const boots = region.ledgerOf(device.thingName)?.boots(before) ?? [];
    return {
      thing: device.thingName,
      instrument: device.instrument.id,
      readings: boots.reduce((sum, { readings }) => sum + readings, 0),
      points: boots.reduce((sum, { readings, channels }) => sum + readings * channels, 0),
      boots,
      /** Still in the instrument's ring, and given up by it. */
      unacknowledged: device.instrument.unacknowledged,
      overwritten: device.instrument.overwritten,
    };
  });
  const readings = instruments.reduce((sum, one) => sum + one.readings, 0);
  return { now: region.clock.now(), readings, instruments };
}

const Whom = { thing: ThingName.optional(), share: z.number().gt(0).max(1).optional() };
export const FaultRequest = z.discriminatedUnion("kind", [
  /** No way to the cloud, until it is restored or for so long. */
  z.strictObject({ kind: z.literal("cut"), ...Whom, seconds: z.number().positive().optional() }),
  z.strictObject({ kind: z.literal("restore"), ...Whom }),
  z.strictObject({ kind: z.literal("kill-component"), ...Whom, component: ComponentName }),
  /** Back on the same disk after so long. */
  z.strictObject({ kind: z.literal("power-cut"), ...Whom, seconds: z.number().positive().default(60) }),
]);
export type FaultRequest = z.infer<typeof FaultRequest>;

/** Does it to one thing, or to a share drawn by the region's seed; answers to whom it was done. */
export async function fault(region: DrivenRegion, input: unknown) {
  const asked = readRequest(FaultRequest, input);
  return { now: region.clock.now(), kind: asked.kind, things: await hostedFaults(region, asked) };
}
