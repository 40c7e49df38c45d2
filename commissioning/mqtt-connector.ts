import { http, iot, mqtt5 } from "aws-iot-device-sdk-v2";
import type { Clock } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import type { Proxy } from "@coalmine/site";
import { isExempt } from "@coalmine/site/way";
import type { IotConnection, IotConnector, IotIdentity } from "./iot-connection.ts";
import { mqttAlpn } from "./network/network-list.ts";
import type { FindProxy } from "./proxy-file.ts";
import { CommissioningRefused } from "./refusal.ts";
import { probeTls } from "./tls-probe.ts";

const CONNECT_MS = 20_000;
const STOP_MS = 3000;
const OPERATION_SECONDS = 15;

/** The real end: the AWS IoT Device SDK's MQTT 5 client, after a look at the TLS door that tells clearly what is wrong. */
export function mqttConnector(
  endpoint: { readonly host: string; readonly port: number },
  clock: Clock,
  findProxy: FindProxy,
): IotConnector {
  return {
    connect: async (identity) => {
      // The SDK tells a wrong authority only as "negotiation failed", and late.
      const proxy = await findProxy();
      await probeTls({ ...endpoint, ...identity, alpn: mqttAlpn(endpoint.port) }, clock, proxy);
      return connected(endpoint, identity, clock, proxy);
    },
  };
}

async function connected(
  { host, port }: { readonly host: string; readonly port: number },
  identity: IotIdentity,
  clock: Clock,
  proxy: Proxy | undefined,
): Promise<IotConnection> {
  const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(
    host,
    identity.certificatePem,
    identity.privateKeyPem,
  )
    .withCertificateAuthority(identity.rootCaPem)
    .withPort(port)
    .withConnectProperties({ clientId: identity.clientId, keepAliveIntervalSeconds: 60 })
    .withSessionBehavior(mqtt5.ClientSessionBehavior.Clean)
    .withAckTimeoutSeconds(OPERATION_SECONDS);
  if (proxy !== undefined && !isExempt(host, proxy)) builder.withHttpProxyOptions(proxyOptions(proxy));
  const client = new mqtt5.Mqtt5Client(builder.build());
  const handlers = new Map<string, (payload: string) => void>();
  client.on("messageReceived", ({ message }) => handlers.get(message.topicName)?.(textOf(message.payload)));
  // Without a listener such an event would end the process; what it means is told by the operation that fails.
  client.on("error", () => undefined);
  const close = (): Promise<void> => stopped(client, clock);
  try {
    await up(client, `${host}:${port}`, identity, clock);
  } catch (failure) {
    await close();
    throw failure;
  }
  return {
    subscribe: async (topicFilter, heard) => {
      handlers.set(topicFilter, heard);
      const { reasonCodes } = await client.subscribe({
        subscriptions: [{ topicFilter, qos: mqtt5.QoS.AtLeastOnce }],
      });
      if (reasonCodes.some(isRefusal)) throw notAllowed(identity, `subscribe to ${topicFilter}`);
    },
    publish: async (topicName, payload) => {
      const puback = await client.publish({ topicName, payload, qos: mqtt5.QoS.AtLeastOnce });
      if (puback !== undefined && isRefusal(puback.reasonCode))
        throw notAllowed(identity, `publish to ${topicName}`);
    },
    close,
  };
}

function proxyOptions({ host, port, account }: Proxy): http.HttpProxyOptions {
  const { Basic, None } = http.HttpProxyAuthenticationType;
  return new http.HttpProxyOptions(
    host,
    port,
    account === undefined ? None : Basic,
    account?.user,
    account?.password.reveal(),
    undefined,
    http.HttpProxyConnectionType.Tunneling,
  );
}

/** The door was open a moment ago with this authority: whoever is turned away now is turned away for its certificate. */
function up(client: mqtt5.Mqtt5Client, where: string, identity: IotIdentity, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = clock.timer(CONNECT_MS, () =>
      reject(
        new CommissioningRefused(
          "unreachable",
          `${where} does not answer MQTT within ${CONNECT_MS / 1000} s; check the network and try again`,
        ),
      ),
    );
    client.once("connectionSuccess", () => {
      late.cancel();
      resolve();
    });
    client.once("connectionFailure", ({ error }) => {
      late.cancel();
      const why = messageOf(error);
      reject(
        identity.whose === "claim"
          ? new CommissioningRefused(
              "claim-refused",
              `${where} does not take the claim (${why}): it is not registered, not active, or may not connect as ${identity.clientId}; ask for a new claim`,
              { cause: error },
            )
          : new CommissioningRefused(
              "claim-refused",
              `${where} does not take the device's own certificate (${why}); its thing or policy is missing: check the provisioning template`,
              { cause: error },
            ),
      );
    });
    client.start();
  });
}

function stopped(client: mqtt5.Mqtt5Client, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      giveUp.cancel();
      client.close();
      resolve();
    };
    const giveUp = clock.timer(STOP_MS, finish);
    client.once("stopped", finish);
    client.stop();
  });
}

/** Reason codes of MQTT 5 from here on are refusals. */
function isRefusal(code: number): boolean {
  return code >= 0x80;
}

function notAllowed(identity: IotIdentity, what: string): CommissioningRefused {
  return new CommissioningRefused(
    "claim-refused",
    `the ${identity.whose}'s policy does not allow to ${what}; have its policy corrected, or ask for another claim`,
  );
}

function textOf(payload: mqtt5.Payload | undefined): string {
  if (payload === undefined) return "";
  if (typeof payload === "string") return payload;
  if (payload instanceof ArrayBuffer) return Buffer.from(payload).toString();
  if (ArrayBuffer.isView(payload))
    return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
  return JSON.stringify(payload);
}
