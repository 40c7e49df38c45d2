/** The operators' API: what the command, and a server, call. */
export * from "./api-error.ts";
export * from "./api.ts";
export * from "./decide.ts";
export * from "./describe.ts";
export * from "./plan.ts";
export * from "./show.ts";
export * from "./why.ts";
