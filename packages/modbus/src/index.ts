/** Modbus from the master's side. Runs where only the ports exist. */
export * from "./request.ts";
export * from "./register-type.ts";
export * from "./plan.ts";
export * from "./master.ts";
export * from "./self-test.ts";
