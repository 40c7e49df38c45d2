import { dataPlaneCalls } from "../cloud/data-plane-calls.ts";
import { DataPlaneError, type DataPlane } from "../ports.ts";

/** A door of the cloud as a function, for a caller whose certificate is known. */
export type CloudDoor = (
  request: {
    readonly method: string;
    readonly path: string;
    readonly query: URLSearchParams;
    readonly body: Uint8Array;
    readonly headers: Readonly<Record<string, string>>;
  },
  device: { readonly certificateId: string; readonly thingName: string | undefined },
) =>
  | Promise<{ readonly status: number; readonly body: string | Uint8Array }>
  | { readonly status: number; readonly body: string | Uint8Array };

interface HostedDataPlaneOptions {
  readonly thingName: string;
  /** The one that it has now: certificates are rotated. */
  readonly certificateId: () => string;
  readonly dataPlane: CloudDoor;
  readonly credentials: CloudDoor;
  /** An object of the cloud's S3, by the device's role. */
  readonly readObject: (bucket: string, key: string) => Promise<Uint8Array>;
  /** Whether the device has a network. */
  readonly isOnline: () => boolean;
}

/** The data plane of a hosted device: the cloud's own doors, called in the same process. */
export function hostedDataPlane(options: HostedDataPlaneOptions): DataPlane {
  const { thingName, certificateId, readObject, isOnline } = options;
  const mustBeOnline = (): void => {
    if (!isOnline()) throw new DataPlaneError(0, "the device has no network");
  };
  return dataPlaneCalls({
    thingName,
    exchange: async ({ door, method, path, body = "" }) => {
      mustBeOnline();
      const [bare = path, query = ""] = path.split("?");
      const headers = { "x-amzn-iot-thingname": thingName, "content-type": "application/json" };
      const request = {
        method,
        path: bare,
        query: new URLSearchParams(query),
        body: new TextEncoder().encode(body),
        headers,
      };
      const answer = await options[door](request, { certificateId: certificateId(), thingName });
      return {
        status: answer.status,
        text: typeof answer.body === "string" ? answer.body : new TextDecoder().decode(answer.body),
      };
    },
    download: async (url) => {
      mustBeOnline();
      const [bucket, key] = placeOf(url);
      return readObject(bucket, key);
    },
  });
}

/** `s3://bucket/key`, or a pre-signed URL with the bucket in its path. */
function placeOf(url: string): readonly [bucket: string, key: string] {
  const path = url.startsWith("s3://")
    ? url.slice("s3://".length)
    : decodeURIComponent(new URL(url).pathname.slice(1));
  const slash = path.indexOf("/");
  if (slash < 1) throw new DataPlaneError(400, `${url} does not name a bucket and a key`);
  return [path.slice(0, slash), path.slice(slash + 1)];
}
