import { ReplyLost } from "../control/faults.ts";
import { type HttpRequest, type HttpResponse, noAnswer } from "../protocol/http.ts";
import type { Device } from "./device-certificate.ts";
import type { DeviceHandler } from "./device-door.ts";

/** Paths of IoT's own services, which a device reaches at the same port as Greengrass. AWS tells them apart by host. */
const services: readonly (readonly [path: RegExp, service: string])[] = [
  [/^\/things\/[^/]+\/jobs(?:\/|$)/, "iot-jobs-data"],
  [/^\/things\/[^/]+\/shadow$/, "iotdata"],
  [/^\/api\/things\/shadow\//, "iotdata"],
  [/^\/topics\//, "iotdata"],
  [/^\/retainedMessage(?:\/|$)/, "iotdata"],
];

/**
 * Jobs, shadows, publishing and what is retained over HTTPS by a device's certificate; everything else is for `otherwise`.
 * @see https://docs.aws.amazon.com/iot/latest/developerguide/http.html
 */
export function byService(
  ask: (service: string, request: HttpRequest, device: Device) => Promise<HttpResponse>,
  otherwise: DeviceHandler,
): DeviceHandler {
  return async (request, device) => {
    const { method, path, query, headers, body } = request;
    const service = services.find(([pattern]) => pattern.test(path))?.[1];
    if (service === undefined) return otherwise(request, device);
    const rawQuery = query.toString().replaceAll("+", "%20");
    const given = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    const asked = { method, rawPath: path, rawQuery, headers: Object.fromEntries(given), body };
    const response = await ask(service, asked, device);
    if (response === noAnswer) throw new ReplyLost();
    return response;
  };
}
