import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UpdateCertificateCommand } from "@aws-sdk/client-iot";
import { ThingName } from "@coalmine/contract";
import { certificateAnswerTopic } from "@coalmine/contract/commissioning";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { activeCertificates, statusOf } from "../../api/devices/registry.ts";
import { inService } from "../../test/device-in-service.ts";
import { type LocalRegion, startLocalRegion } from "../../test/local-region.ts";
import { durableFiles, readIfThere } from "../durable-files.ts";
import type { IotConnector } from "../iot-connection.ts";
import { networkPorts } from "../network-ports.ts";
import { CommissioningRefused } from "../refusal.ts";
import { dueOf, idOf, rotate, type RotationParts } from "./rotate.ts";
import { service } from "./service.ts";

const PATIENCE_MS = 30_000;
const DAY_MS = 86_400_000;
let folder: string;
let region: LocalRegion;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rotate-"));
  region = await startLocalRegion(join(folder, "cloud"));
});
afterAll(async () => {
  await region.cloud.close();
  await rm(folder, { recursive: true, force: true });
});

async function device(serial: string) {
  const { options, places } = await inService(region, folder, serial);
  const parts: RotationParts = {
    thing: serial,
    places,
    clock,
    files: { ...durableFiles, read: readIfThere },
    iot: networkPorts(options, clock).iot,
    core: { stop: () => Promise.resolve(), start: () => Promise.resolve() },
  };
  const identity = async () => ({
    certificatePem: await readFile(places.certificate, "utf8"),
    privateKeyPem: await readFile(places.privateKey, "utf8"),
    rootCaPem: await readFile(places.rootCa, "utf8"),
    clientId: serial,
    whose: "device" as const,
  });
  return {
    places,
    parts,
    identity,
    counting: () => activeCertificates(region.claims, ThingName.parse(serial)),
    connects: async () => (await parts.iot.connect(await identity())).close(),
  };
}

/** Every deed of the device, in order, is where its power may go. */
function cutting(parts: RotationParts, at: number): RotationParts {
  let deeds = 0;
  const deed = <Result>(then: () => Promise<Result>): Promise<Result> =>
    ++deeds === at ? Promise.reject(new Error("the power is gone")) : then();
  return {
    ...parts,
    files: {
      read: parts.files.read,
      write: (...file) => deed(() => parts.files.write(...file)),
      erase: (path) => deed(() => parts.files.erase(path)),
    },
    iot: {
      connect: async (identity) => {
        const connection = await deed(() => parts.iot.connect(identity));
        return { ...connection, publish: (...message) => deed(() => connection.publish(...message)) };
      },
    },
    core: { stop: () => deed(parts.core.stop), start: () => deed(parts.core.start) },
  };
}
/** A stop and a start, two connections, two messages, four files written, two erased. */
const DEEDS = 12;
/** The answer is lost; the key of one lies beside the certificate of the other; it counts, and nothing runs. */
const CUTS =
  process.env["COALMINE_LONG"] === "1" ? Array.from({ length: DEEDS }, (_, index) => index + 1) : [4, 8, 10];

test("cut at any deed the next run ends what was begun: one certificate counts, the device's own, and the former one opens nothing", async () => {
  const { parts, places, identity, counting, connects } = await device("core-cut");
  for (const at of CUTS) {
    const former = await identity();
    await expect(rotate(cutting(parts, at), "now"), `${at}`).rejects.toThrow("the power is gone");
    expect((await counting()).length, `${at}`).toBeGreaterThan(0);
    // A timer that finds nothing due ends it all the same, but where nothing was begun.
    const ended = await rotate(parts, { afterDays: 3650 });
    if (ended.kind === "not-due") await rotate(parts, "now");
    const own = idOf((await identity()).certificatePem);
    expect(own, `${at}`).not.toBe(idOf(former.certificatePem));
    await vi.waitFor(async () => expect(await counting(), `${at}`).toEqual([own]), PATIENCE_MS);
    await connects();
    expect(await statusOf(region.claims, idOf(former.certificatePem))).toBe("REVOKED");
    await expect(parts.iot.connect(former), `${at}`).rejects.toMatchObject({ reason: "claim-refused" });
  }
  expect((await stat(places.privateKey)).mode & 0o777).toBe(0o600);
  expect([await readIfThere(places.nextPrivateKey), await readIfThere(places.nextCertificate)]).toEqual([
    undefined,
    undefined,
  ]);
  // What cuts is at every deed: there is none after the last.
  expect(await rotate(cutting(parts, DEEDS + 1), "now")).toMatchObject({ kind: "changed" });
});

test("a core device that does not stop keeps its certificate; one that does not start has the new one, and is said", async () => {
  const { parts, counting, connects, identity } = await device("core-stuck");
  const stuckAt = (verb: string): RotationParts => ({
    ...parts,
    core: service(async (command, [asked = "", ...units]) => {
      expect([command, ...units]).toEqual(["systemctl", "greengrass.service"]);
      return { code: asked === verb ? 1 : 0, stdout: "", stderr: "Job failed." };
    }, "greengrass.service"),
  });
  const before = await identity();
  await expect(rotate(stuckAt("stop"), "now")).rejects.toMatchObject({ reason: "nucleus" });
  expect(await counting()).toEqual([idOf(before.certificatePem)]);
  await expect(rotate(stuckAt("start"), "now")).rejects.toMatchObject({
    reason: "nucleus",
    sentence: expect.stringContaining("systemctl start greengrass.service ends with 1 (Job failed.)"),
  });
  expect((await identity()).certificatePem).not.toBe(before.certificatePem);
  await connects();
  expect(await rotate(parts, { afterDays: 3650 })).toMatchObject({ kind: "changed" });
  await vi.waitFor(async () => expect(await counting()).toHaveLength(1), PATIENCE_MS);
});

test("a next certificate that does not count any more is asked for anew", async () => {
  const { parts, places, counting, connects } = await device("core-anew");
  // Cut when it has the next one: stop, connection, message, two files.
  await expect(rotate(cutting(parts, 6), "now")).rejects.toThrow("the power is gone");
  const begun = idOf(await readFile(places.nextCertificate, "utf8"));
  expect(await counting()).toContain(begun);
  await region.iot.send(new UpdateCertificateCommand({ certificateId: begun, newStatus: "REVOKED" }));
  const rotated = await rotate(parts, { afterDays: 3650 });
  expect(rotated).toMatchObject({ kind: "changed" });
  await vi.waitFor(
    async () => expect(await counting()).toEqual([rotated.kind === "changed" && rotated.certificateId]),
    PATIENCE_MS,
  );
  await connects();
});

test("where the former key is gone already a refusal leaves what was begun, and the next run ends it", async () => {
  const { parts, counting, connects } = await device("core-half");
  // The key of one lies beside the certificate of the other.
  await expect(rotate(cutting(parts, 8), "now")).rejects.toThrow("the power is gone");
  const refusal = new CommissioningRefused("claim-refused", "the broker is busy");
  const busy: IotConnector = { connect: () => Promise.reject(refusal) };
  await expect(rotate({ ...parts, iot: busy }, "now")).rejects.toBe(refusal);
  const rotated = await rotate(parts, { afterDays: 3650 });
  expect(rotated).toMatchObject({ kind: "changed" });
  await vi.waitFor(async () => expect(await counting()).toHaveLength(1), PATIENCE_MS);
  await connects();
});

test("an answer for another key is passed over", async () => {
  const { parts, places, connects } = await device("core-disturbed");
  const own = await readFile(places.certificate, "utf8");
  const disturbed: IotConnector = {
    connect: async (identity) => {
      const connection = await parts.iot.connect(identity);
      return {
        ...connection,
        subscribe: async (topic, heard) => {
          expect(topic).toBe(certificateAnswerTopic("core-disturbed"));
          await connection.subscribe(topic, heard);
          heard("no JSON");
          heard(JSON.stringify({ version: 1, certificateId: "0", certificatePem: own }));
        },
      };
    },
  };
  const rotated = await rotate({ ...parts, iot: disturbed }, "now");
  expect(rotated).toMatchObject({ kind: "changed" });
  expect(rotated.kind === "changed" && rotated.certificateId).not.toBe(idOf(own));
  await connects();
});

test("a certificate is changed by its age, and a month before its end; a device without one has nothing to do", async () => {
  const { parts, places, identity } = await device("core-young");
  const { certificatePem } = await identity();
  const bornMs = dueOf(certificatePem, 0);
  expect(bornMs).toBeLessThanOrEqual(clock.now());
  expect(await rotate(parts, { afterDays: 365 })).toEqual({ kind: "not-due", dueMs: bornMs + 365 * DAY_MS });
  expect(dueOf(certificatePem, 1_000_000)).toBeLessThan(bornMs + 1_000_000 * DAY_MS);
  await rm(places.certificate);
  expect(await rotate(parts, "now")).toEqual({ kind: "not-commissioned" });
});
