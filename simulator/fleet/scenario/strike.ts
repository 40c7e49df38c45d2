import type { SeededRandom } from "@coalmine/runtime";
import { Fault } from "../../cloud/control/fault.ts";
import type { DrivenRegion } from "../driven/region.ts";
import type { HostedDevice } from "../hosted/hosted-device.ts";
import type { ScenarioFault } from "./fault-kinds.ts";

/** How long a nucleus that was killed is away, as a service that systemd restarts. */
const NUCLEUS_RESTART_MS = 2000;

/** Does to the cloud and to each thing what the fault says, and sees to its end. Answers whether anybody was struck. */
export async function strike(
  region: DrivenRegion,
  fault: ScenarioFault,
  things: readonly string[] | undefined,
  random: SeededRandom,
): Promise<boolean> {
  if (fault.kind === "jump-clock") {
    region.cloudClock.jump(fault.by);
    return true;
  }
  if (fault.kind === "slow" || "service" in fault) {
    const faults = cloudFaults(fault, things);
    for (const one of faults) region.cloud.faults.inject(one);
    return faults.length > 0;
  }
  let struck = 0;
  for (const thing of things ?? []) {
    const device = region.device(thing);
    if (device !== undefined && (await strikeDevice(region, device, fault, random.fork(thing)))) struck++;
  }
  return struck > 0;
}

/** What a fault on calls or links is to the cloud; nothing for what is done to the devices themselves. */
export function cloudFaults(fault: ScenarioFault, things: readonly string[] | undefined): readonly Fault[] {
  const concerned = things ?? [undefined];
  if (fault.kind === "slow")
    return concerned.map((thing) =>
      Fault.parse({ kind: fault.kind, thing, delayMs: fault.delay, seconds: fault.for / 1000 }),
    );
  if (!("service" in fault)) return [];
  const { kind, service, operation, probability } = fault;
  return concerned.map((thing) =>
    Fault.parse({
      kind,
      service,
      probability,
      // Whoever deploys and looks on is not what is tried.
      onlyDevices: true,
      seconds: fault.for / 1000,
      ...(operation === undefined ? {} : { operation }),
      ...(thing === undefined ? {} : { thing }),
      ...(kind === "error" ? { status: fault.status } : {}),
    }),
  );
}

type DeviceFault = Exclude<
  ScenarioFault,
  { kind: "jump-clock" | "slow" | "throttle" | "error" | "drop-reply" }
>;

/** By chance; undefined where there is no other. */
export function anotherThan<Name>(
  last: Name | undefined,
  names: readonly Name[],
  random: SeededRandom,
): Name | undefined {
  const others = names.filter((name) => name !== last);
  return others[random.below(Math.max(1, others.length))];
}

async function strikeDevice(
  region: DrivenRegion,
  device: HostedDevice,
  fault: DeviceFault,
  random: SeededRandom,
): Promise<boolean> {
  const { clock } = region;
  const later = (afterMs: number, end: () => unknown): true => {
    clock.timer(afterMs, () => void end());
    return true;
  };
  switch (fault.kind) {
    case "cut":
      return later(fault.for, device.network.cut());
    case "power-cut":
    case "kill-nucleus":
      // Another fault was first: it is as it should be.
      if (!device.hasPower) return true;
      await device.cutPower();
      return later(fault.kind === "power-cut" ? fault.for : NUCLEUS_RESTART_MS, () => device.start());
    case "kill-component":
      return device.kill(fault.component) || !device.hasPower;
    case "memory-pressure": {
      const until = clock.now() + fault.for;
      let victim: string | undefined;
      const kill = (): void => {
        if (clock.now() >= until) return;
        victim = anotherThan(victim, device.running(), random);
        if (victim !== undefined) device.kill(victim);
        clock.timer(fault.killEvery, kill);
      };
      kill();
      return true;
    }
    case "disk-full":
    case "disk-read-only":
      device.diskTrouble = fault.kind === "disk-full" ? "full" : "read-only";
      return later(fault.for, () => (device.diskTrouble = undefined));
    case "clock-set":
    case "clock-jump":
      device.clock.jump(fault.kind === "clock-jump" ? fault.by : Date.parse(fault.to) - device.clock.now());
      return later(fault.for, () => device.clock.setRight());
    case "clock-drift":
      device.clock.drift(fault.ppm);
      return later(fault.for, () => device.clock.setRight());
    case "unplug":
      device.bench.unplug();
      return later(fault.for, () => device.bench.plug());
    case "swap":
      return later(fault.for, device.bench.swap());
    case "clog":
      device.bench.isClogged = true;
      return later(fault.for, () => (device.bench.isClogged = false));
    case "garbage":
      device.bench.garbagePortion = fault.portion;
      return later(fault.for, () => (device.bench.garbagePortion = 0));
    case "certificate-expired": {
      const { certificates } = region.cloud.iot.iot;
      const { certificateId } = device;
      certificates.setStatus(certificateId, "INACTIVE");
      return later(fault.for, () => certificates.setStatus(certificateId, "ACTIVE"));
    }
    case "certificate-rotated":
      region.rotateCertificate(device.thingName);
      return true;
    case "defer":
      break;
  }
  if (!device.hasPower) return false;
  const deferring = await device.deferUpdates(fault.wait);
  return later(fault.for, () => deferring.close());
}
