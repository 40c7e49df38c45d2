import * as z from "zod";
import { parseJson } from "../json.ts";
import { DataPlaneError, type DataPlane } from "../ports.ts";

const PAGES_MAX = 100;

const Resolved = z.object({
  resolvedComponentVersions: z.array(
    z.object({
      arn: z.string(),
      componentName: z.string(),
      componentVersion: z.string(),
      recipe: z.string(),
    }),
  ),
});
const Url = z.object({ preSignedUrl: z.string() });
const Groups = z.object({
  thingGroups: z.array(z.object({ thingGroupName: z.string() })),
  nextToken: z.string().nullish(),
});
const Configuration = Url.extend({ integrityCheck: z.object({ algorithm: z.string(), digest: z.string() }) });
const CredentialsAnswer = z.object({
  credentials: z.object({
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    sessionToken: z.string(),
    expiration: z.string(),
  }),
});

export interface Exchange {
  /** Which of the two hosts; the device is known by its certificate at both. */
  readonly door: "dataPlane" | "credentials";
  readonly method: "GET" | "POST";
  /** Percent-encoded, with its query. */
  readonly path: string;
  readonly body?: string;
}

interface CallOptions {
  readonly thingName: string;
  /** One request, one answer; rejects with `DataPlaneError` 0 when none came. */
  readonly exchange: (request: Exchange) => Promise<{ readonly status: number; readonly text: string }>;
  /** Fetches what a URL stands for. */
  readonly download: (url: string) => Promise<Uint8Array>;
}

/** The device's calls in the data plane's own words, over whatever carries a request. */
export function dataPlaneCalls({ thingName, exchange, download }: CallOptions): DataPlane {
  async function call(
    door: Exchange["door"],
    method: Exchange["method"],
    path: string,
    body?: unknown,
  ): Promise<unknown> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const { status, text } = await exchange({ door, method, path, ...sent });
    if (status >= 200 && status < 300) return parseJson(text);
    throw new DataPlaneError(
      status,
      `${method} ${path.split("?")[0]} answered ${status}: ${text.slice(0, 300)}`,
    );
  }
  const plane = (method: Exchange["method"], path: string, body?: unknown): Promise<unknown> =>
    call("dataPlane", method, `/greengrass/v2${path}`, body);

  return {
    resolveComponentCandidates: async (asked) =>
      read(Resolved, await plane("POST", "/resolveComponentCandidates", asked)),
    getComponentVersionArtifact: async (arn, name) => {
      const file = name.split("/").map(encodeURIComponent).join("/");
      return read(
        Url,
        await plane("GET", `/components/${encodeURIComponent(arn)}/artifacts/${file}?s3EndpointType=GLOBAL`),
      );
    },
    listThingGroupsForCoreDevice: async (thing) => {
      const found: { thingGroupName: string }[] = [];
      let nextToken = "";
      for (let page = 0; page < PAGES_MAX; page++) {
        const query = nextToken === "" ? "" : `?nextToken=${encodeURIComponent(nextToken)}`;
        const answer = read(
          Groups,
          await plane("GET", `/coreDevices/${encodeURIComponent(thing)}/thingGroups${query}`),
        );
        found.push(...answer.thingGroups);
        nextToken = answer.nextToken ?? "";
        if (nextToken === "") return found;
      }
      throw new DataPlaneError(500, `the groups of ${thing} do not end after ${PAGES_MAX} pages`);
    },
    getDeploymentConfiguration: async (id) => {
      const query = `?coreDeviceThingName=${encodeURIComponent(thingName)}&s3EndpointType=GLOBAL`;
      return read(
        Configuration,
        await plane("GET", `/deployments/${encodeURIComponent(id)}/configuration${query}`),
      );
    },
    getCredentials: async (roleAlias) => {
      const path = `/role-aliases/${encodeURIComponent(roleAlias)}/credentials`;
      return read(CredentialsAnswer, await call("credentials", "GET", path)).credentials;
    },
    download,
  };
}

function read<Shape extends z.ZodType>(shape: Shape, answer: unknown): z.infer<Shape> {
  const parsed = shape.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new DataPlaneError(
    500,
    `the cloud's answer cannot be read: ${parsed.error.issues[0]?.message ?? ""}`,
  );
}
