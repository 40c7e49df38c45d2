/** Greengrass IPC from either end. Nothing here imports Node; `unix-socket.ts` and `socket-link.ts` do. */
export * from "./service.ts";
export * from "./operations.ts";
export * from "./requests.ts";
export * from "./serve-ipc.ts";
export * from "./ipc-port.ts";
export * from "./copy-json.ts";
export * from "./ipc-error.ts";
export * from "./answers.ts";
export * from "./framing-error.ts";
