/** Topics of local publish/subscribe, and of IoT Core. */
export const topics = {
  /** Local: `MeasurementBatch`, from sensor-reader and inference. */
  measurements: "coalmine/measurements",
  /** Local: `Acknowledgement`, from stream-uploader. */
  acknowledgements: "coalmine/acknowledgements",
  /** Local: `MeasurementBatch` of what a shadow model says; channels begin with `shadow-`. Nobody keeps it. */
  shadowResults: "coalmine/shadow-results",
  /** Local: inference's report on its models: a shadow's agreement with the model that serves, and drift. */
  modelReport: "coalmine/model-report",
  /** Local: an instrument is to be tested or calibrated, `InstrumentRequest` of packages/instrument, to sensor-reader. */
  instrumentRequests: "coalmine/instruments/requests",
  /** Local: what came of it, `InstrumentAnswer`, with the request's id. */
  instrumentAnswers: "coalmine/instruments/answers",
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
