import type { Clock } from "@coalmine/ports";
import { readFile } from "node:fs/promises";
import { type CodeExchange, httpsCodeExchange } from "./code-exchange.ts";
import type { IotConnector } from "./iot-connection.ts";
import { mqttConnector } from "./mqtt-connector.ts";
import type { CommissionOptions } from "./options.ts";

/** The real ends of what commissioning asks of the network. */
export function networkPorts(
  {
    iotDataEndpoint,
    mqttPort,
    claimEndpoint,
    rootCaFile,
  }: Pick<CommissionOptions, "iotDataEndpoint" | "mqttPort" | "claimEndpoint" | "rootCaFile">,
  clock: Clock,
): { readonly iot: IotConnector; readonly codes: CodeExchange } {
  return {
    iot: mqttConnector({ host: iotDataEndpoint, port: mqttPort }, clock),
    codes: httpsCodeExchange(claimEndpoint, () => readFile(rootCaFile, "utf8"), clock),
  };
}
