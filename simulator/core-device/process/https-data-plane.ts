import { Agent, request } from "node:https";
import * as z from "zod";
import { parseJson } from "../json.ts";
import { DataPlaneError, type DataPlane } from "../ports.ts";

/** No call takes longer; what does is tried again by whoever asked. */
const TIMEOUT_MS = 30_000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
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
const Groups = z.object({ thingGroups: z.array(z.object({ thingGroupName: z.string() })), nextToken: z.string().nullish() });
const Configuration = Url.extend({ integrityCheck: z.object({ algorithm: z.string(), digest: z.string() }) });
const CredentialsAnswer = z.object({
  credentials: z.object({
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
    sessionToken: z.string(),
    expiration: z.string(),
  }),
});

interface DataPlaneOptions {
  readonly thingName: string;
  /** `host:port`. */
  readonly dataPlane: string;
  readonly credentials: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly rootCa: string;
  /** Fetches what a URL stands for. */
  readonly download: (url: string) => Promise<Uint8Array>;
}

/** The device's HTTP calls, by its certificate. Give it back with `close`. */
export function httpsDataPlane(options: DataPlaneOptions): DataPlane & { close(): void } {
  const { certificate: cert, privateKey: key, rootCa: ca, thingName } = options;
  const agent = new Agent({ cert, key, ca, keepAlive: true, maxSockets: 4 });

  async function call(host: string, method: string, path: string, body?: unknown): Promise<unknown> {
    const { status, text } = await exchange(agent, `https://${host}${path}`, method, body, {
      "x-amzn-iot-thingname": thingName,
    });
    const json = parseJson(text);
    if (status >= 200 && status < 300) return json;
    throw new DataPlaneError(status, `${method} ${path.split("?")[0]} answered ${status}: ${text.slice(0, 300)}`);
  }
  const plane = (method: string, path: string, body?: unknown): Promise<unknown> =>
    call(options.dataPlane, method, `/greengrass/v2${path}`, body);

  return {
    resolveComponentCandidates: async (asked) => read(Resolved, await plane("POST", "/resolveComponentCandidates", asked)),
    getComponentVersionArtifact: async (arn, name) => {
      const file = name.split("/").map(encodeURIComponent).join("/");
      return read(Url, await plane("GET", `/components/${encodeURIComponent(arn)}/artifacts/${file}?s3EndpointType=GLOBAL`));
    },
    listThingGroupsForCoreDevice: async (thing) => {
      const found: { thingGroupName: string }[] = [];
      let nextToken = "";
      for (let page = 0; page < PAGES_MAX; page++) {
        const query = nextToken === "" ? "" : `?nextToken=${encodeURIComponent(nextToken)}`;
        const answer = read(Groups, await plane("GET", `/coreDevices/${encodeURIComponent(thing)}/thingGroups${query}`));
        found.push(...answer.thingGroups);
        nextToken = answer.nextToken ?? "";
        if (nextToken === "") return found;
      }
      throw new DataPlaneError(500, `the groups of ${thing} do not end after ${PAGES_MAX} pages`);
    },
    getDeploymentConfiguration: async (id) => {
      const query = `?coreDeviceThingName=${encodeURIComponent(thingName)}&s3EndpointType=GLOBAL`;
      return read(Configuration, await plane("GET", `/deployments/${encodeURIComponent(id)}/configuration${query}`));
    },
    getCredentials: async (roleAlias) => {
      const path = `/role-aliases/${encodeURIComponent(roleAlias)}/credentials`;
      return read(CredentialsAnswer, await call(options.credentials, "GET", path)).credentials;
    },
    download: (url) => options.download(url),
    close: () => agent.destroy(),
  };
}

function read<Shape extends z.ZodType>(shape: Shape, answer: unknown): z.infer<Shape> {
  const parsed = shape.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new DataPlaneError(500, `the cloud's answer cannot be read: ${parsed.error.issues[0]?.message ?? ""}`);
}

function exchange(
  agent: Agent,
  url: string,
  method: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const offline = (failure: Error): void => reject(new DataPlaneError(0, `${method} ${url}: ${failure.message}`));
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const type = sent === undefined ? {} : { "content-type": "application/json" };
    const asking = request(url, { agent, method, timeout: TIMEOUT_MS, headers: { ...headers, ...type } }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.byteLength;
        if (bytes > ANSWER_BYTES_MAX) asking.destroy(new Error("the answer is too long"));
        else chunks.push(chunk);
      });
      response.on("error", offline);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
    });
    asking.on("timeout", () => asking.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    asking.on("error", offline);
    asking.end(sent);
  });
}
