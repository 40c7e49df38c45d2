import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { createServer, type Server as TlsServer, TLSSocket } from "node:tls";
import type { Clock, Log } from "@coalmine/ports";
import { Closing, messageOf } from "@coalmine/runtime";
import type { Broker } from "../broker/broker.ts";
import { ReplyLost, type Faults } from "../control/faults.ts";
import type { KeysAndCertificate } from "../identity/certificate-authority.ts";
import type { Iot } from "../iot/iot.ts";
import { readBody } from "../protocol/read-body.ts";
import { type Device, deviceOf } from "./device-certificate.ts";
import { SocketLink } from "./tcp-link.ts";

export interface DeviceRequest {
  readonly method: string;
  /** Still percent-encoded: component ARNs hold encoded colons. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}
export interface DeviceResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}
export type DeviceHandler = (
  request: DeviceRequest,
  device: Device,
) => DeviceResponse | Promise<DeviceResponse>;

/** 0 takes any free port. The nucleus reads its MQTT port as a signed 16-bit number: stay below 32,768 for it. */
export interface DeviceDoorPorts {
  /** MQTT over TLS, AWS's 8883. */
  readonly mqtt: number;
  /** AWS's 443: MQTT where ALPN says `x-amzn-mqtt-ca`, HTTPS otherwise. */
  readonly alpn: number;
  /** Greengrass's data plane, AWS's 8443. */
  readonly dataPlane: number;
  /** The credentials provider. */
  readonly credentials: number;
}

export interface DeviceDoorOptions {
  readonly broker: Broker;
  readonly iot: Iot;
  readonly server: KeysAndCertificate;
  readonly wallClock: Clock;
  readonly log: Log;
  readonly dataPlane: DeviceHandler;
  readonly credentials: DeviceHandler;
  readonly faults?: Faults;
  readonly ports?: Partial<DeviceDoorPorts>;
}

/** Ours. */
const BODY_BYTES_MAX = 1024 * 1024;
const CONNECTIONS_MAX = 5000;
const HANDSHAKE_MS = 10_000;
const MQTT_ALPN = "x-amzn-mqtt-ca";

/** The doors through which devices come, on loopback only, each by mutual TLS. */
export class DeviceDoor {
  readonly ports: DeviceDoorPorts;
  readonly #closing: Closing;

  private constructor(ports: DeviceDoorPorts, closing: Closing) {
    this.ports = ports;
    this.#closing = closing;
  }

  static async open(options: DeviceDoorOptions): Promise<DeviceDoor> {
    const closing = new Closing();
    const mqtt = (socket: TLSSocket): void => letIn(socket, options);
    const dataPlane = https(options, options.dataPlane);
    const credentials = https(options, options.credentials);
    const both = https(options, (request, device) =>
      (request.path.startsWith("/role-aliases/") ? options.credentials : options.dataPlane)(request, device),
    );
    const serve = (server: Server) => (socket: TLSSocket) => void server.emit("connection", socket);
    const listen = async (
      protocols: string[],
      port: number,
      take: (socket: TLSSocket) => void,
    ): Promise<number> => {
      const server = tlsServer(options, protocols, take);
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, "127.0.0.1", resolve);
      });
      const sockets = new Set<TLSSocket>();
      server.on("secureConnection", (socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      });
      closing.add(server, () => {
        for (const socket of sockets) socket.destroy();
        return new Promise<void>((resolve) => server.close(() => resolve()));
      });
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listening TCP server has such an address.
      return (server.address() as AddressInfo).port;
    };
    try {
      const asked = options.ports ?? {};
      const ports = {
        mqtt: await listen(["mqtt", MQTT_ALPN], asked.mqtt ?? 0, mqtt),
        alpn: await listen([MQTT_ALPN, "http/1.1"], asked.alpn ?? 0, (socket) =>
          socket.alpnProtocol === MQTT_ALPN ? mqtt(socket) : serve(both)(socket),
        ),
        dataPlane: await listen(["http/1.1"], asked.dataPlane ?? 0, serve(dataPlane)),
        credentials: await listen(["http/1.1"], asked.credentials ?? 0, serve(credentials)),
      };
      return new DeviceDoor(ports, closing);
    } catch (failure) {
      await closing.close();
      throw failure;
    }
  }

  close(): Promise<void> {
    return this.#closing.close();
  }
}

function tlsServer(
  options: DeviceDoorOptions,
  ALPNProtocols: string[],
  take: (socket: TLSSocket) => void,
): TlsServer {
  const { server, log } = options;
  const tls = createServer(
    {
      cert: server.certificatePem,
      key: server.privateKeyPem,
      minVersion: "TLSv1.2",
      handshakeTimeout: HANDSHAKE_MS,
      requestCert: true,
      // Whether a certificate counts is ours to say (deviceOf): it may be registered without our authority.
      rejectUnauthorized: false,
      ALPNProtocols,
    },
    take,
  );
  tls.maxConnections = CONNECTIONS_MAX;
  tls.on("tlsClientError", (error) => log.debug("A TLS handshake failed.", { failure: messageOf(error) }));
  return tls;
}

function letIn(socket: TLSSocket, { broker, iot, wallClock, log }: DeviceDoorOptions): void {
  // Without a listener an error of a socket that is refused would end the process.
  const link = new SocketLink(socket);
  const device = deviceOf(socket, iot, wallClock);
  if ("refused" in device) {
    log.warn("A device was refused.", { why: device.refused });
    socket.destroy();
    return;
  }
  socket.setNoDelay(true);
  broker.accept(link, { ...device, kind: "tls" });
}

function https({ iot, wallClock, log, faults }: DeviceDoorOptions, handle: DeviceHandler): Server {
  return createHttpServer({ requestTimeout: 30_000, headersTimeout: HANDSHAKE_MS }, (request, response) => {
    const { socket } = request;
    const device =
      socket instanceof TLSSocket
        ? deviceOf(socket, iot, wallClock)
        : { refused: "the connection is not TLS" };
    if ("refused" in device) {
      log.warn("A device was refused.", { why: device.refused });
      answer(response, refusal(403, "Forbidden"));
      return;
    }
    if (faults?.isCut(device.thingName) === true) {
      socket.destroy();
      return;
    }
    // The promise ends here: whatever fails is answered.
    void serve(request, device, handle).then(
      (given) => answer(response, given),
      (failure: unknown) => {
        if (failure instanceof ReplyLost) {
          socket.destroy();
          return;
        }
        log.error("A device's request failed.", { failure: messageOf(failure) });
        answer(response, refusal(500, "Internal failure"));
      },
    );
  });
}

async function serve(
  request: IncomingMessage,
  device: Device,
  handle: DeviceHandler,
): Promise<DeviceResponse> {
  const body = await readBody(request, (bytes) => bytes <= BODY_BYTES_MAX);
  if (body === undefined) {
    const { headers, ...refused } = refusal(413, `The body is larger than ${BODY_BYTES_MAX} bytes.`);
    return { ...refused, headers: { ...headers, connection: "close" } };
  }
  const [path = "/", query = ""] = (request.url ?? "/").split("?");
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(",") : value,
    ]),
  );
  return handle(
    {
      method: request.method ?? "GET",
      path,
      query: new URLSearchParams(query),
      headers,
      body,
    },
    device,
  );
}

function refusal(status: number, message: string): DeviceResponse {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify({ message }) };
}

function answer(response: ServerResponse, { status, headers, body }: DeviceResponse): void {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
