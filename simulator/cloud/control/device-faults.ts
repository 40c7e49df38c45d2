import type { DeviceHandler, DeviceRequest } from "../device-door/device-door.ts";
import { ServiceError } from "../service.ts";
import type { Faults } from "./faults.ts";

/** What a device asks by its certificate, as broken as its cloud is. @throws ReplyLost where it hears nothing. */
export function underFaults(
  faults: Faults,
  service: string,
  operationOf: (request: DeviceRequest) => string,
  handle: DeviceHandler,
): DeviceHandler {
  return async (request, device) => {
    const call = { service, operation: operationOf(request), thing: device.thingName };
    await faults.pause(call.thing);
    try {
      faults.before(call);
    } catch (failure) {
      if (!(failure instanceof ServiceError)) throw failure;
      const headers = { "content-type": "application/json", "x-amzn-errortype": failure.code };
      return { status: failure.statusCode, headers, body: JSON.stringify({ message: failure.message }) };
    }
    const response = await handle(request, device);
    faults.after(call);
    return response;
  };
}
