import type { Clock } from "@coalmine/ports";
import { readFile } from "node:fs/promises";
import { type CodeExchange, httpsCodeExchange } from "./code-exchange.ts";
import type { IotConnector } from "./iot-connection.ts";
import { mqttConnector } from "./mqtt-connector.ts";
import type { CommissionOptions } from "./options.ts";
import { placesOf } from "./places.ts";
import { readProxy } from "./proxy-file.ts";

/** The real ends of what commissioning asks of the network, by the building's proxy where one was named. */
export function networkPorts(
  options: Pick<CommissionOptions, "root" | "iotDataEndpoint" | "mqttPort" | "claimEndpoint" | "rootCaFile">,
  clock: Clock,
): { readonly iot: IotConnector; readonly codes: CodeExchange } {
  const { iotDataEndpoint, mqttPort, claimEndpoint, rootCaFile } = options;
  const findProxy = () => readProxy(placesOf(options).proxy);
  return {
    iot: mqttConnector({ host: iotDataEndpoint, port: mqttPort }, clock, findProxy),
    codes: httpsCodeExchange(claimEndpoint, () => readFile(rootCaFile, "utf8"), clock, findProxy),
  };
}
