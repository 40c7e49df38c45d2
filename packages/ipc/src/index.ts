/** Greengrass IPC from either end. */
export * from "./service.ts";
