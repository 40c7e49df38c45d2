import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { AwsIotMqtt5ClientConfigBuilder } from "aws-crt/dist/native/aws_iot_mqtt5.js";
import { Mqtt5Client } from "aws-crt/dist/native/mqtt5.js";
import { collectWhenIdle } from "@coalmine/device/idle-memory";
import { systemClock } from "@coalmine/runtime/system-clock";
import { parse } from "yaml";
import * as z from "zod";

/**
 * What a core device is prescribed to be made with, used once, and nothing of ours but the collection when idle: YAML and a
 * schema for its configuration, the official MQTT client and Node's HTTP client, connected with the device's certificate.
 */
const Configuration = z.object({
  system: z.object({
    thingName: z.string(),
    certificateFilePath: z.string(),
    privateKeyPath: z.string(),
    rootCaPath: z.string(),
  }),
  services: z.object({
    "aws.greengrass.Nucleus": z.object({
      configuration: z.object({
        iotDataEndpoint: z.string(),
        mqtt: z.object({ port: z.number() }),
        greengrassDataPlanePort: z.number(),
      }),
    }),
  }),
});
const root = process.argv[process.argv.indexOf("--root") + 1] ?? "";
const { system, services } = Configuration.parse(parse(readFileSync(`${root}/config/config.yaml`, "utf8")));
const { thingName, certificateFilePath, privateKeyPath, rootCaPath } = system;
const { iotDataEndpoint, mqtt, greengrassDataPlanePort } = services["aws.greengrass.Nucleus"].configuration;
const client = new Mqtt5Client(
  AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath(
    iotDataEndpoint,
    certificateFilePath,
    privateKeyPath,
  )
    .withCertificateAuthorityFromPath(undefined, rootCaPath)
    .withPort(mqtt.port)
    .withConnectProperties({ clientId: thingName, keepAliveIntervalSeconds: 60 })
    .build(),
);
client.on("connectionFailure", ({ error }) => {
  throw error;
});
client.on("connectionSuccess", () => {
  const [cert, key, ca] = [certificateFilePath, privateKeyPath, rootCaPath].map((path) => readFileSync(path));
  const agent = new Agent({ cert, key, ca, keepAlive: true });
  const asking = request(`https://${iotDataEndpoint}:${greengrassDataPlanePort}/`, { agent });
  asking.on("response", (response) => {
    response.resume();
    response.on("end", () => process.stdout.write("the libraries' program is up\n"));
  });
  asking.end();
});
client.start();
collectWhenIdle(systemClock);
process.once("SIGTERM", () => process.exit(0));
