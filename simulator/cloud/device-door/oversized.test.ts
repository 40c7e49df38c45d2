import { request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
} from "@aws-sdk/client-iot";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CONTROL_TOKEN, ConformanceCloud } from "../conformance/conformance-cloud.ts";

/** What the doors of devices and of the control API do with a body of more than they take. */

const MiB = 1024 * 1024;
let cloud: ConformanceCloud;
let tls: RequestOptions;
beforeAll(async () => {
  cloud = await ConformanceCloud.start();
  const keys = await cloud.iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  await cloud.iot.send(new CreateThingCommand({ thingName: "press" }));
  await cloud.iot.send(
    new AttachThingPrincipalCommand({ thingName: "press", principal: keys.certificateArn }),
  );
  await cloud.iot.send(new AttachPolicyCommand({ policyName: "core", target: keys.certificateArn }));
  tls = { ca: cloud.caPem, cert: keys.certificatePem, key: keys.keyPair?.PrivateKey };
});
afterAll(() => cloud.close());

type How = "announced" | "in chunks";

function post(to: RequestOptions, bytes: number, how: How): Promise<{ status: number; text: string }> {
  const options = { host: "localhost", method: "POST", agent: false as const, ...to };
  return new Promise((resolve, reject) => {
    const outgoing = (to.ca === undefined ? httpRequest : httpsRequest)(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    if (how === "announced") outgoing.setHeader("content-length", bytes);
    let answered = false;
    outgoing.on("response", () => (answered = true));
    // Who is answered while it still sends finds the connection closed.
    outgoing.on("error", (failure) => (answered ? undefined : reject(failure)));
    const part = Buffer.alloc(64 * 1024, " ");
    for (let sent = 0; sent < bytes; sent += part.length)
      outgoing.write(part.subarray(0, Math.min(part.length, bytes - sent)));
    outgoing.end();
  });
}

const asDevice = (door: "dataPlane" | "alpn" | "credentials", path: string) => ({
  ...tls,
  port: cloud.doors[door],
  path,
  ALPNProtocols: ["http/1.1"],
});
const resolvePath = "/greengrass/v2/resolveComponentCandidates";

for (const how of ["announced", "in chunks"] as const) {
  test(`every door of devices refuses a body of more than 1 MiB that comes ${how}`, async () => {
    for (const [door, path] of [
      ["dataPlane", resolvePath],
      ["dataPlane", "/things/press/shadow"],
      ["alpn", resolvePath],
      ["credentials", "/role-aliases/any/credentials"],
    ] as const) {
      const { status, text } = await post(asDevice(door, path), MiB + 1, how);
      expect([door, path, status]).toEqual([door, path, 413]);
      expect(text).toContain("The body is larger than 1048576 bytes.");
    }
    expect((await post(asDevice("dataPlane", resolvePath), MiB, how)).status).not.toBe(413);
  });

  test(`the control API refuses a body of more than 1 MiB that comes ${how}`, async () => {
    const control = {
      host: "127.0.0.1",
      port: cloud.doors.http,
      path: "/control/list-faults",
      headers: { authorization: `Bearer ${CONTROL_TOKEN}` },
    };
    const { status, text } = await post(control, MiB + 1, how);
    expect(status).toBe(413);
    expect(text).toContain("The body is over 1048576 bytes.");
    expect((await post(control, MiB, how)).status).toBe(200);
  });
}
