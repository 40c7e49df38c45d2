import type { CommissionOptions } from "../options.ts";

/** Port 443 carries MQTT only by this name. @see https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html */
const ALPN_MQTT = "x-amzn-mqtt-ca";
const HTTPS_PORT = 443;
const NTP_PORT = 123;

export const purposes = ["measurements", "deployments", "credentials", "artifacts", "logs", "time"] as const;
export type Purpose = (typeof purposes)[number];

/** One line of what a hospital's network has to let out. */
export interface Need {
  readonly purpose: Purpose;
  /** What is tried. */
  readonly host: string;
  /** What is asked for, where that is more than `host`. */
  readonly allow: readonly string[];
  readonly port: number;
  readonly protocol: "mqtt" | "https" | "ntp";
  readonly alpn: string | undefined;
  /** The device shows a certificate, so that nobody can open TLS on the way without being seen. */
  readonly isMutual: boolean;
}

export type ListOptions = Pick<
  CommissionOptions,
  | "region"
  | "iotDataEndpoint"
  | "mqttPort"
  | "iotCredEndpoint"
  | "greengrassDataPlaneEndpoint"
  | "greengrassDataPlanePort"
> &
  Partial<Pick<CommissionOptions, "nucleus">> & { readonly timeServers?: readonly string[] };

/**
 * What a core device of these endpoints sends to.
 * @see https://docs.aws.amazon.com/greengrass/v2/developerguide/allow-device-traffic.html
 */
export function networkList(options: ListOptions): readonly Need[] {
  const { region, iotDataEndpoint, mqttPort, iotCredEndpoint, greengrassDataPlanePort } = options;
  const domain = awsDomain(region);
  const [credentials = "", credentialsPort = String(HTTPS_PORT)] = iotCredEndpoint.split(":");
  const s3 = `s3.${region}.${domain}`;
  const need = (
    purpose: Purpose,
    host: string,
    port: number,
    protocol: Need["protocol"],
    isMutual: boolean,
    allow: readonly string[] = [host],
  ): Need => ({ purpose, host, allow, port, protocol, isMutual, alpn: undefined });
  return [
    { ...need("measurements", iotDataEndpoint, mqttPort, "mqtt", true), alpn: mqttAlpn(mqttPort) },
    need(
      "deployments",
      options.greengrassDataPlaneEndpoint ?? `greengrass-ats.iot.${region}.${domain}`,
      greengrassDataPlanePort,
      "https",
      true,
    ),
    need("credentials", credentials, Number(credentialsPort), "https", true),
    need("artifacts", s3, HTTPS_PORT, "https", false, [`*.${s3}`, s3]),
    ...nucleusFrom(options).map(([host, port]) => need("artifacts", host, port, "https", false)),
    need("logs", `logs.${region}.${domain}`, HTTPS_PORT, "https", false),
    ...(options.timeServers ?? ["time.aws.com"]).map((server) =>
      need("time", server, NTP_PORT, "ntp", false),
    ),
  ];
}

/** Where the nucleus itself comes from, if it is not on the device. */
function nucleusFrom({ nucleus }: ListOptions): readonly [host: string, port: number][] {
  const url = nucleus && URL.parse(nucleus.archive);
  return url?.protocol === "https:" ? [[url.hostname, Number(url.port || HTTPS_PORT)]] : [];
}

/** A host that answers plain requests too, with a header that is its own: whoever answers without it stands in its place. */
export function portalWitness(region: string): { readonly host: string; readonly proof: string } {
  return { host: `s3.${region}.${awsDomain(region)}`, proof: "x-amz-request-id" };
}

export function mqttAlpn(port: number): string | undefined {
  return port === HTTPS_PORT ? ALPN_MQTT : undefined;
}

function awsDomain(region: string): string {
  return region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}
