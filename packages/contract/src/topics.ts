/** Topics of local publish/subscribe, and of IoT Core. */
export const topics = {
  /** Local: `MeasurementBatch`, from sensor-reader and inference. */
  measurements: "coalmine/measurements",
  /** Local: `Acknowledgement`, from stream-uploader. */
  acknowledgements: "coalmine/acknowledgements",
  /** Local: `ComponentHealth`, from each component. */
  health: (component: string): string => `coalmine/health/${component}`,
  /** Local, off unless configured: `LocalLogEvents` of a component, from log-manager. */
  logs: (component: string): string => `coalmine/logs/${component}`,
  healthOfAll: "coalmine/health/+",
  /** IoT Core: `Heartbeat`, one a device and minute. */
  heartbeat: (thing: string): string => `coalmine/${thing}/heartbeat`,
  /** IoT Core filter for the heartbeats of all things. */
  heartbeatOfAll: "coalmine/+/heartbeat",
} as const;
