import { request } from "node:https";
import { iot, mqtt5 } from "aws-iot-device-sdk-v2";

const PATIENCE_MS = 20_000;

export interface Doors {
  readonly mqtt: number;
  readonly dataPlane: number;
  readonly credentials: number;
}
export interface DeviceKeys {
  readonly caPem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** JSON as it came; a script looks into it as deep as it likes. */
// oxlint-disable-next-line typescript/no-explicit-any -- what a script asserts is what the cloud sent.
export type Json = any;

/**
 * Says to a cloud what a Greengrass nucleus says, from a script: MQTT 5 by the official client, HTTPS with the device's
 * certificate. It decides nothing; the script does.
 */
export class ScriptedNucleus {
  readonly thingName: string;
  readonly #doors: Doors;
  readonly #keys: DeviceKeys;
  readonly #client: mqtt5.Mqtt5Client;
  readonly #heard: { readonly topic: string; readonly body: Json }[] = [];
  #told: () => void = () => {};

  constructor(thingName: string, doors: Doors, keys: DeviceKeys) {
    this.thingName = thingName;
    this.#doors = doors;
    this.#keys = keys;
    // The CONNECT that a nucleus 2.18.0 sends: clean at first, then its session of seven days.
    const config = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(
      "localhost",
      keys.certificatePem,
      keys.privateKeyPem,
    )
      .withCertificateAuthority(keys.caPem)
      .withPort(doors.mqtt)
      .withSessionBehavior(mqtt5.ClientSessionBehavior.RejoinPostSuccess)
      .withMinReconnectDelayMs(200)
      .withMaxReconnectDelayMs(500)
      .withConnectProperties({
        clientId: thingName,
        keepAliveIntervalSeconds: 60,
        sessionExpiryIntervalSeconds: 604_800,
        receiveMaximum: 100,
        requestProblemInformation: true,
      })
      .build();
    this.#client = new mqtt5.Mqtt5Client(config);
    this.#client.on("messageReceived", ({ message }) => {
      const text = textOf(message.payload);
      this.#heard.push({ topic: message.topicName, body: JSON.parse(text) });
      this.#told();
    });
  }

  /** Connects; rejects with the client's own reason where the cloud does not let it in. */
  async start(): Promise<mqtt5.NegotiatedSettings> {
    const connected = this.#once<mqtt5.ConnectionSuccessEvent>("connectionSuccess");
    const failed = this.#once<mqtt5.ConnectionFailureEvent>("connectionFailure").then(({ error }) => {
      throw error;
    });
    this.#client.start();
    return (await Promise.race([connected, failed])).settings;
  }

  /** Resolves when the client has lost its connection, with the code that the cloud gave. */
  async disconnected(): Promise<number | undefined> {
    return (await this.#once<mqtt5.DisconnectionEvent>("disconnection")).disconnect?.reasonCode;
  }

  /** Resolves when the client is back by itself; says whether the cloud had kept the session. */
  async reconnected(): Promise<boolean> {
    const { connack } = await this.#once<mqtt5.ConnectionSuccessEvent>("connectionSuccess");
    return connack.sessionPresent;
  }

  async stop(): Promise<void> {
    const stopped = this.#once("stopped");
    this.#client.stop();
    await stopped;
    this.#client.close();
  }

  /** For a device that never connected. */
  close(): void {
    this.#client.close();
  }

  /** The same device, started anew. */
  again(): ScriptedNucleus {
    return new ScriptedNucleus(this.thingName, this.#doors, this.#keys);
  }

  /** One packet for each, as the nucleus sends them. Gives what was granted. */
  async subscribe(...filters: string[]): Promise<number[]> {
    const granted: number[] = [];
    for (const topicFilter of filters) {
      const subscriptions = [{ topicFilter, qos: mqtt5.QoS.AtLeastOnce }];
      granted.push(...(await this.#client.subscribe({ subscriptions })).reasonCodes);
    }
    return granted;
  }

  async unsubscribe(...topicFilters: string[]): Promise<void> {
    await this.#client.unsubscribe({ topicFilters });
  }

  /** Resolves with the reason code of the PUBACK. */
  async publish(topicName: string, body: Json): Promise<number> {
    const payload = typeof body === "string" ? body : JSON.stringify(body);
    const puback = await this.#client.publish({ topicName, payload, qos: mqtt5.QoS.AtLeastOnce });
    return puback?.reasonCode ?? 0;
  }

  /** The oldest message of those topics which the script has not taken yet. One script waits for one at a time. */
  async next(...topics: string[]): Promise<Json> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const index = this.#heard.findIndex(({ topic }) => topics.includes(topic));
      const [message] = index < 0 ? [] : this.#heard.splice(index, 1);
      if (message !== undefined) return message.body;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0)
        throw new Error(
          `nothing came on ${topics.join(", ")} within ${PATIENCE_MS} ms; there is ${this.untaken.join(", ") || "nothing"}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#told = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** What came and was not asked for; topics alone. */
  get untaken(): string[] {
    return this.#heard.map(({ topic }) => topic);
  }

  /** Asks the data plane as the nucleus does: by certificate, without a signature. */
  async dataPlane(
    method: "GET" | "POST" | "PUT",
    path: string,
    body?: Json,
  ): Promise<{ status: number; body: Json }> {
    return this.#https(this.#doors.dataPlane, method, path, {}, body);
  }

  async credentials(roleAlias: string): Promise<{ status: number; body: Json }> {
    const headers = { "x-amzn-iot-thingname": this.thingName };
    return this.#https(this.#doors.credentials, "GET", `/role-aliases/${roleAlias}/credentials`, headers);
  }

  /** The client's own types name fewer events than it emits. */
  #once<Event>(event: string): Promise<Event> {
    return new Promise((resolve) => void this.#client.once(event, resolve));
  }

  #https(
    port: number,
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: Json,
  ): Promise<{ status: number; body: Json }> {
    const { caPem, certificatePem, privateKeyPem } = this.#keys;
    const asked = { host: "localhost", port, path, method, headers, agent: false as const };
    const tls = { ca: caPem, cert: certificatePem, key: privateKeyPem, ALPNProtocols: ["http/1.1"] };
    return new Promise((resolve, reject) => {
      const outgoing = request({ ...asked, ...tls }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
      });
      outgoing.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

function textOf(payload: unknown): string {
  return payload instanceof ArrayBuffer ? Buffer.from(payload).toString("utf8") : String(payload);
}
