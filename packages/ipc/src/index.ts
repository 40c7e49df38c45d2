/** Greengrass IPC from either end. Nothing here opens a socket; `unix-socket.ts` does. */
export * from "./service.ts";
export * from "./operations.ts";
export * from "./requests.ts";
export * from "./serve-ipc.ts";
export * from "./ipc-port.ts";
export * from "./copy-json.ts";
export * from "./ipc-error.ts";
export * from "./answers.ts";
export * from "./framing-error.ts";
