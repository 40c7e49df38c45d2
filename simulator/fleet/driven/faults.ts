import { ServiceError } from "../../cloud/service.ts";
import type { HostedDevice } from "../hosted/hosted-device.ts";
import type { DrivenRegion } from "./region.ts";
import type { FaultRequest } from "./status.ts";

/** Does what was asked to each device that it is about, and gives their names. What is to end later ends on the clock. */
export async function hostedFaults(region: DrivenRegion, asked: FaultRequest): Promise<string[]> {
  const devices = concerned(region, asked);
  for (const device of devices) await doTo(region, device, asked);
  return devices.map(({ thingName }) => thingName);
}

function concerned(region: DrivenRegion, { thing, share }: FaultRequest): readonly HostedDevice[] {
  if ((thing === undefined) === (share === undefined))
    throw new ServiceError("ValidationException", 400, "Say either `thing` or `share`.");
  if (share !== undefined) return region.draw(share);
  const device = region.device(thing ?? "");
  if (device === undefined)
    throw new ServiceError(
      "ResourceNotFoundException",
      404,
      `There is no hosted device ${thing ?? ""} here; the status names all.`,
    );
  return [device];
}

async function doTo({ clock }: DrivenRegion, device: HostedDevice, asked: FaultRequest): Promise<void> {
  switch (asked.kind) {
    case "cut": {
      const mend = device.network.cut();
      if (asked.seconds !== undefined) clock.timer(asked.seconds * 1000, mend);
      return;
    }
    case "restore":
      device.network.restore();
      return;
    case "kill-component":
      if (!device.kill(asked.component))
        throw new ServiceError(
          "ConflictException",
          409,
          `${asked.component} does not run on ${device.thingName}.`,
        );
      return;
    case "power-cut":
      if (!device.hasPower) return;
      await device.cutPower();
      clock.timer(asked.seconds * 1000, () => void device.start());
      return;
  }
}
