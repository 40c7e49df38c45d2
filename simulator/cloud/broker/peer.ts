/** Who is at the other end of a link, as the door that accepted it has proved. */
export interface Peer {
  /** SHA-256 of the certificate, as AWS IoT names certificates. */
  readonly certificateId: string;
  /** The thing of the certificate, where it has exactly one. */
  readonly thingName?: string | undefined;
  readonly kind: "tls" | "in-process";
}

export type MqttAction = "connect" | "publish" | "receive" | "subscribe" | "retain";

/** Asked at each use, so that a policy that changes counts at once. `resource` is a client id, topic or filter. */
export type Authorize = (peer: Peer, clientId: string, action: MqttAction, resource: string) => boolean;

/** Why a connection ended, in the words of AWS's lifecycle events. */
export type DisconnectReason =
  | "CLIENT_INITIATED_DISCONNECT"
  | "CLIENT_ERROR"
  | "CONNECTION_LOST"
  | "DUPLICATE_CLIENTID"
  | "FORBIDDEN_ACCESS"
  | "MQTT_KEEP_ALIVE_TIMEOUT"
  | "SERVER_ERROR"
  | "SERVER_INITIATED_DISCONNECT";
