import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as z from "zod";
import type { DrivenRegion } from "../driven/region.ts";

const LOOK_EVERY_MS = 3_600_000;

/** The most that was on the disks of a fleet at one of the looks at it, which are an hour apart. */
export class UsageWitness {
  /** `thing component` → most bytes in its work folder; `thing` → most bytes in all else. */
  readonly workBytesMax = new Map<string, number>();
  readonly restBytesMax = new Map<string, number>();

  watch(region: DrivenRegion): void {
    const look = (): void => {
      this.look(region);
      region.clock.timer(LOOK_EVERY_MS, look);
    };
    region.clock.timer(LOOK_EVERY_MS, look);
  }

  look(region: DrivenRegion): void {
    for (const { thingName, diskUse } of region.devices.map((device) => ({
      thingName: device.thingName,
      diskUse: device.diskUse(),
    }))) {
      for (const [component, bytes] of diskUse.work)
        keepMost(this.workBytesMax, `${thingName} ${component}`, bytes);
      keepMost(this.restBytesMax, thingName, diskUse.restBytes);
    }
  }
}

function keepMost(most: Map<string, number>, key: string, bytes: number): void {
  if (bytes > (most.get(key) ?? 0)) most.set(key, bytes);
}

const Collect = z.custom<() => void>((value) => typeof value === "function");

/** Bytes of live objects of this process, after everything else was thrown away. */
export function liveHeapBytes(): number {
  setFlagsFromString("--expose-gc");
  Collect.parse(runInNewContext("gc"))();
  return process.memoryUsage().heapUsed;
}
