/** Clock, random, log, errors and lifecycle, each real and simulated. Nothing here imports Node but `system-*.ts`. */
export * from "./error.ts";
export * from "./aws-failure.ts";
export * from "./backoff.ts";
export * from "./closing.ts";
export * from "./file-steps.ts";
export * from "./driven-clock.ts";
export * from "./seeded-random.ts";
export * from "./json-log.ts";
export * from "./component-health.ts";
export * from "./phase.ts";
export * from "./outbox.ts";
export * from "./memory-ipc.ts";
export * from "./live-configuration.ts";
export * from "./waiting.ts";
export * from "./token-bucket.ts";
