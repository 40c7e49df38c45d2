/** MQTT to AWS IoT as commissioning needs it: by the claim's certificate, then by the device's own. */
export interface IotConnector {
  /** Rejects with a `CommissioningRefused` that tells apart what can be told apart. */
  connect(identity: IotIdentity): Promise<IotConnection>;
}

export interface IotIdentity {
  readonly clientId: string;
  /** As text: a claim's is never on the disk. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly rootCaPem: string;
  /** What to blame when AWS IoT takes the TLS connection and refuses the client. */
  readonly whose: "claim" | "device";
}

export interface IotConnection {
  /** Resolves when granted, at QoS 1; `heard` gets each payload. */
  subscribe(topic: string, heard: (payload: string) => void): Promise<void>;
  /** Resolves at the acknowledgement, at QoS 1. */
  publish(topic: string, payload: string): Promise<void>;
  close(): Promise<void>;
}
