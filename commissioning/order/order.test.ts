import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListThingPrincipalsCommand, UpdateCertificateCommand } from "@aws-sdk/client-iot";
import { ThingName } from "@coalmine/contract";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decommission, rehome } from "../../api/devices/retire.ts";
import { inService as deviceInService } from "../../test/device-in-service.ts";
import { filesBelow } from "../../test/files-below.ts";
import { type LocalRegion, startLocalRegion } from "../../test/local-region.ts";
import { claimsDoor } from "../claims-door.ts";
import { type DurableFiles, durableFiles } from "../durable-files.ts";
import { noProxy } from "../proxy-file.ts";
import { obeyOrder, type OrderParts } from "./order.ts";

let folder: string;
let region: LocalRegion;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "order-"));
  region = await startLocalRegion(join(folder, "cloud"));
});
afterAll(async () => {
  await region.cloud.close();
  await rm(folder, { recursive: true, force: true });
});

/** A device with an identity, and what it obeys by. */
async function inService(serial: string) {
  const { options, places } = await deviceInService(region, folder, serial);
  const forgotten: string[] = [];
  const commands: string[] = [];
  const parts: OrderParts = {
    ask: claimsDoor(options.claimEndpoint, () => readFile(options.rootCaFile, "utf8"), clock, noProxy),
    network: { adapters: async () => [], forget: async (name) => void forgotten.push(name) },
    run: async (command, args) => {
      commands.push([command, ...args].join(" "));
      return { code: 0, stdout: "", stderr: "" };
    },
    files: durableFiles,
  };
  return {
    options,
    places,
    parts,
    commands,
    obey: (files: DurableFiles = durableFiles) => obeyOrder(options, { ...parts, files }),
  };
}
const retired = { who: "grace", reason: "the ward is closed" };

test("a device in service, one whose certificate is merely revoked, and one that was never commissioned keep what they have", async () => {
  const { obey, options, places, parts } = await inService("core-in-service");
  expect(await obey()).toEqual({ kind: "nothing-to-do", why: "in service" });
  const { principals = [] } = await region.iot.send(
    new ListThingPrincipalsCommand({ thingName: options.serial }),
  );
  const certificateId = principals[0]?.split("/").at(-1) ?? "";
  await region.iot.send(new UpdateCertificateCommand({ certificateId, newStatus: "REVOKED" }));
  expect(await obey()).toEqual({ kind: "nothing-to-do", why: "in service" });
  await access(places.privateKey);
  const empty = { ...options, root: join(folder, "empty") };
  expect(await obeyOrder(empty, parts)).toEqual({ kind: "nothing-to-do", why: "not commissioned" });
});

test("one that was taken out wipes itself, cut at any file too; nobody else does by its order, and commissioned anew it stays", async () => {
  const device = await inService("core-out");
  const other = await inService("core-other");
  await decommission(region.claims, { thing: ThingName.parse("core-out"), ...retired });
  expect(await other.obey()).toMatchObject({ kind: "nothing-to-do" });
  // Another one's certificate under its name: the order is not for that.
  await expect(
    obeyOrder({ ...other.options, serial: ThingName.parse("core-out") }, other.parts),
  ).resolves.toMatchObject({
    kind: "nothing-to-do",
  });
  for (const cutAt of [1, 2, 4]) {
    let erased = 0;
    const cutting: DurableFiles = {
      ...durableFiles,
      erase: async (path) => {
        if (++erased === cutAt) throw new Error("the power is gone");
        await durableFiles.erase(path);
      },
    };
    await expect(device.obey(cutting)).rejects.toThrow("the power is gone");
  }
  expect(await device.obey()).toMatchObject({ kind: "wiped", order: { as: "decommission" } });
  expect(device.commands[0]).toBe("systemctl stop greengrass.service");
  expect(await filesBelow(device.options.root)).toEqual([]);
  expect(await device.obey()).toEqual({ kind: "nothing-to-do", why: "not commissioned" });
  await access(other.places.privateKey);

  const { next } = await rehome(region.claims, {
    thing: ThingName.parse("core-other"),
    site: "ward-7",
    ...retired,
  });
  expect(await other.obey()).toMatchObject({ kind: "wiped", order: { as: "rehome" } });
  expect(next).toBeDefined();
  const again = await inService("core-other");
  expect(await again.obey()).toEqual({ kind: "nothing-to-do", why: "in service" });
});

test("an answer that is of another certificate removes nothing; an exchange that is not reached is said", async () => {
  const { options, parts, places } = await inService("core-doubting");
  const order = { kind: "wipe", as: "swap", at: "2026-01-01T00:00:00.000Z", certificateId: "0".repeat(64) };
  const lying: OrderParts["ask"] = async (_path, _body, shape) => shape.parse({ order });
  await expect(obeyOrder(options, { ...parts, ask: lying })).rejects.toMatchObject({
    reason: "wrong-authority",
  });
  await access(places.privateKey);
  const away = claimsDoor("https://localhost:1", () => readFile(options.rootCaFile, "utf8"), clock, noProxy);
  await expect(obeyOrder(options, { ...parts, ask: away })).rejects.toMatchObject({
    reason: "unreachable",
  });
});
