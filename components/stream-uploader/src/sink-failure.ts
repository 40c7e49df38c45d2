import { type DeliveryFailure, messageOf } from "@coalmine/runtime";

/** Of Greengrass IPC: publishing to IoT Core. */
export function classifyIpc(failure: unknown): DeliveryFailure {
  if (!isCoded(failure, "IpcError")) return { kind: "retry", code: messageOf(failure), afterMs: 0 };
  const { code } = failure;
  if (code === "InvalidArgumentsError") return { kind: "poison", code };
  if (code === "UnauthorizedError")
    return {
      kind: "blocked",
      code,
      remedy:
        "allow aws.greengrass#PublishToIoTCore on the sink's `topic` in this component's accessControl (mqttproxy)",
    };
  return { kind: "retry", code, afterMs: 0 };
}

/** Of the device's own disk. */
export function classifyFile(failure: unknown): DeliveryFailure {
  const code = isCoded(failure, "FileError") ? failure.code : messageOf(failure);
  if (code === "EACCES" || code === "EROFS")
    return { kind: "blocked", code, remedy: "make the component's work folder writable" };
  return { kind: "retry", code, afterMs: 0 };
}

function isCoded(failure: unknown, name: string): failure is Error & { code: string } {
  return failure instanceof Error && failure.name === name && "code" in failure;
}
