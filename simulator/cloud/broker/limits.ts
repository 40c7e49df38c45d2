/**
 * What AWS IoT allows, and our own bounds where AWS does not say.
 * @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits
 */
export interface BrokerLimits {
  readonly payloadBytesMax: number;
  readonly packetBytesMax: number;
  readonly topicBytesMax: number;
  /** Topics that begin with `$` may be longer. */
  readonly reservedTopicBytesMax: number;
  readonly topicSlashesMax: number;
  readonly clientIdBytesMax: number;
  readonly subscriptionsPerRequestMax: number;
  readonly subscriptionsPerConnectionMax: number;
  /** What one connection may publish; beyond it AWS discards. */
  readonly publishesPerSecondMax: number;
  /** Unacknowledged QoS 1 messages in either direction. */
  readonly receiveMaximum: number;
  readonly topicAliasMaximum: number;
  readonly keepAliveSecondsMin: number;
  readonly keepAliveSecondsMax: number;
  readonly sessionExpirySecondsMax: number;
  /** MQTT 3.1.1 cannot say how long a session lives. */
  readonly sessionExpirySecondsOfVersion3: number;
  /** Ours. Beyond it the oldest message that still waits is dropped. */
  readonly waitingPerSessionMax: number;
  /** Ours. Beyond it a retained message is refused. */
  readonly retainedMax: number;
  /** Ours. A link that opened must have sent its CONNECT by then. */
  readonly connectTimeoutMs: number;
  /** Ours. Beyond it QoS 0 messages are dropped and QoS 1 messages wait in the session. */
  readonly unsentBytesMax: number;
}

export const awsLimits: BrokerLimits = {
  payloadBytesMax: 128 * 1024,
  packetBytesMax: 146 * 1024,
  topicBytesMax: 256,
  reservedTopicBytesMax: 512,
  topicSlashesMax: 7,
  clientIdBytesMax: 128,
  subscriptionsPerRequestMax: 8,
  subscriptionsPerConnectionMax: 50,
  publishesPerSecondMax: 100,
  receiveMaximum: 100,
  topicAliasMaximum: 8,
  keepAliveSecondsMin: 30,
  keepAliveSecondsMax: 1200,
  sessionExpirySecondsMax: 604_800,
  sessionExpirySecondsOfVersion3: 3600,
  waitingPerSessionMax: 1000,
  retainedMax: 100_000,
  connectTimeoutMs: 10_000,
  unsentBytesMax: 1024 * 1024,
};
