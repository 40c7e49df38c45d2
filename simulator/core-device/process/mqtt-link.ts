// From their own files: the index reads the clients of every service of AWS IoT.
import { AwsIotMqtt5ClientConfigBuilder } from "aws-crt/dist/native/aws_iot_mqtt5.js";
import * as mqtt5 from "aws-crt/dist/native/mqtt5.js";
import { messageOf } from "@coalmine/runtime";
import type { CloudLink, MessageFields } from "../ports.ts";

/** As the nucleus connects. */
export const SESSION_EXPIRY_SECONDS = 604_800;
const KEEP_ALIVE_SECONDS = 60;
const RECEIVE_MAXIMUM = 100;
const RECONNECT_MIN_MS = 1000;
const RECONNECT_MAX_MS = 120_000;
const OPERATION_SECONDS = 30;
const STOP_MS = 3000;
/** Reason codes from here on are refusals. */
const REFUSED = 0x80;

interface MqttLinkOptions {
  readonly clientId: string;
  readonly host: string;
  readonly port: number;
  readonly certificateFilePath: string;
  readonly privateKeyPath: string;
  readonly rootCaPath: string;
}

/** MQTT 5 over TLS by the device's certificate. The first connection of a process begins a session, later ones go on. */
export class MqttLink implements CloudLink {
  readonly #client: mqtt5.Mqtt5Client;

  constructor(options: MqttLinkOptions) {
    this.#client = new mqtt5.Mqtt5Client(
      AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromPath(
        options.host,
        options.certificateFilePath,
        options.privateKeyPath,
      )
        .withCertificateAuthorityFromPath(undefined, options.rootCaPath)
        .withPort(options.port)
        .withConnectProperties({
          clientId: options.clientId,
          keepAliveIntervalSeconds: KEEP_ALIVE_SECONDS,
          sessionExpiryIntervalSeconds: SESSION_EXPIRY_SECONDS,
          receiveMaximum: RECEIVE_MAXIMUM,
        })
        .withSessionBehavior(mqtt5.ClientSessionBehavior.RejoinPostSuccess)
        // What was under way when the link went is the spooler's to send again.
        .withOfflineQueueBehavior(mqtt5.ClientOperationQueueBehavior.FailAllOnDisconnect)
        .withMinReconnectDelayMs(RECONNECT_MIN_MS)
        .withMaxReconnectDelayMs(RECONNECT_MAX_MS)
        .withAckTimeoutSeconds(OPERATION_SECONDS)
        .build(),
    );
  }

  start(handlers: Parameters<CloudLink["start"]>[0]): void {
    const client = this.#client;
    client.on("connectionSuccess", ({ connack }) => handlers.connected(connack.sessionPresent));
    client.on("disconnection", ({ error }) => handlers.disconnected(messageOf(error)));
    client.on("connectionFailure", ({ error, connack }) =>
      handlers.disconnected(
        connack === undefined
          ? messageOf(error)
          : `refused: ${nameOf(mqtt5.ConnectReasonCode, connack.reasonCode)}`,
      ),
    );
    client.on("messageReceived", ({ message }) => {
      handlers.message(message.topicName, bytesOf(message.payload), fieldsOf(message));
    });
    // The client reports its own troubles as events; without a listener they would end the process.
    client.on("error", (failure) => handlers.disconnected(messageOf(failure)));
    client.start();
  }

  async publish(topicName: string, payload: Uint8Array, qos: 0 | 1, fields?: MessageFields): Promise<void> {
    const puback = await this.#client.publish({
      topicName,
      payload: Buffer.from(payload),
      qos: qos === 1 ? mqtt5.QoS.AtLeastOnce : mqtt5.QoS.AtMostOnce,
      ...(fields === undefined ? {} : packetFields(fields)),
    });
    if (puback !== undefined && isRefusal(puback.reasonCode))
      throw new Error(
        `${nameOf(mqtt5.PubackReasonCode, puback.reasonCode)}: publish to "${topicName}" was refused`,
      );
  }

  async subscribe(topicFilter: string, qos: 0 | 1): Promise<void> {
    const suback = await this.#client.subscribe({
      subscriptions: [{ topicFilter, qos: qos === 1 ? mqtt5.QoS.AtLeastOnce : mqtt5.QoS.AtMostOnce }],
    });
    const [code = mqtt5.SubackReasonCode.UnspecifiedError] = suback.reasonCodes;
    if (isRefusal(code)) throw new Error(nameOf(mqtt5.SubackReasonCode, code));
  }

  async unsubscribe(topicFilter: string): Promise<void> {
    await this.#client.unsubscribe({ topicFilters: [topicFilter] });
  }

  async stop(): Promise<void> {
    const client = this.#client;
    let giveUp: NodeJS.Timeout | undefined;
    await new Promise<void>((stopped) => {
      client.once("stopped", () => stopped());
      giveUp = setTimeout(stopped, STOP_MS);
      client.stop({ reasonCode: mqtt5.DisconnectReasonCode.NormalDisconnection });
    });
    clearTimeout(giveUp);
    client.close();
  }
}

function bytesOf(payload: mqtt5.Payload | undefined): Uint8Array {
  if (payload === undefined) return new Uint8Array(0);
  if (typeof payload === "string") return Buffer.from(payload);
  if (payload instanceof ArrayBuffer) return new Uint8Array(payload);
  if (ArrayBuffer.isView(payload))
    return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  return Buffer.from(JSON.stringify(payload));
}

function packetFields({ payloadFormat, userProperties, correlationData, ...same }: MessageFields) {
  return {
    ...same,
    payloadFormat:
      payloadFormat === "1" ? mqtt5.PayloadFormatIndicator.Utf8 : mqtt5.PayloadFormatIndicator.Bytes,
    ...(userProperties === undefined
      ? {}
      : { userProperties: userProperties.map(({ key, value }) => ({ name: key, value })) }),
    ...(correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData, "base64") }),
  };
}

function fieldsOf(message: mqtt5.PublishPacket): MessageFields {
  const { payloadFormat, userProperties, correlationData, responseTopic, contentType } = message;
  const { messageExpiryIntervalSeconds, retain = false } = message;
  return {
    retain,
    payloadFormat: payloadFormat === mqtt5.PayloadFormatIndicator.Utf8 ? "1" : "0",
    ...(userProperties === undefined
      ? {}
      : { userProperties: userProperties.map(({ name, value }) => ({ key: name, value })) }),
    ...(messageExpiryIntervalSeconds === undefined ? {} : { messageExpiryIntervalSeconds }),
    ...(correlationData === undefined
      ? {}
      : { correlationData: Buffer.from(bytesOf(correlationData)).toString("base64") }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

function isRefusal(code: number): boolean {
  return code >= REFUSED;
}

function nameOf(codes: Readonly<Record<string, string | number>>, code: number): string {
  const name = codes[code];
  return typeof name === "string" ? name : `reason code ${code}`;
}
