/** The contract between a component bundle and whoever runs it, versioned like a wire format. Start at `ports.ts`. */
export * from "./ports.ts";
export * from "./clock.ts";
export * from "./random.ts";
export * from "./ipc.ts";
export * from "./links.ts";
export * from "./files.ts";
export * from "./model.ts";
export * from "./services.ts";
export * from "./crypto.ts";
export * from "./log.ts";
export * from "./process.ts";
