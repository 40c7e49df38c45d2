/** What crosses a wire, said once. Safe in a browser: schemas and constants only. */
export * from "./ids.ts";
export * from "./s3-names.ts";
export * from "./measurement.ts";
export * from "./topics.ts";
export * from "./health.ts";
export * from "./acknowledgement.ts";
export * from "./local-log-events.ts";
export * from "./self-test.ts";
export * from "./summary.ts";
