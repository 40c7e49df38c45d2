import { X509Certificate } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListThingPrincipalsCommand } from "@aws-sdk/client-iot";
import { newClaimCode } from "@coalmine/contract/claim-code";
import { newSigningRequest } from "@coalmine/device/signing-request";
import { jsonLog } from "@coalmine/runtime";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, expect, test } from "vitest";
import { showDevice } from "../api/devices/show-device.ts";
import { optionsIn } from "../test/device-in-service.ts";
import { filesBelow } from "../test/files-below.ts";
import { type LocalRegion, newClaim, startLocalRegion } from "../test/local-region.ts";
import { writeClaimCode } from "./claim-code-file.ts";
import type { CodeExchange } from "./code-exchange.ts";
import { type DurableFiles, durableFiles } from "./durable-files.ts";
import { makeIdentity } from "./identity.ts";
import type { IotConnection, IotConnector } from "./iot-connection.ts";
import { Journal } from "./journal.ts";
import { networkPorts } from "./network-ports.ts";
import type { CommissionOptions } from "./options.ts";
import { placesOf } from "./places.ts";
import { onlyCut, PowerCut } from "./power-cut.fixture.ts";
import { keepRootCa } from "./root-ca.ts";

let folder: string;
let region: LocalRegion;
const logLines: string[] = [];
let made = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cm-identity-"));
  region = await startLocalRegion(
    join(folder, "cloud"),
    jsonLog("cloud", clock, (line) => logLines.push(line)),
  );
});
afterAll(async () => {
  await region.cloud.close();
  await rm(folder, { recursive: true, force: true });
});

/** A device with a code for it, before its identity step. */
async function newDevice(
  changes: Partial<CommissionOptions> = {},
  allowed: Partial<Parameters<typeof newClaim>[2]> = {},
) {
  const serial = `device-${++made}`;
  const root = join(folder, serial);
  const options = optionsIn(region, { serial, hardwareId: `board-${made}`, root, ...changes });
  const places = placesOf(options);
  const minted = await newClaim(region, places.claimCode, { serial, site: options.site, ...allowed });
  return { options, places, minted };
}

/** Each of the sixty points is cut in `npm run test:long`; here one of nine. */
const POINTS_APART = process.env["COALMINE_LONG"] === "1" ? 1 : 9;

interface Ports {
  readonly iot: IotConnector;
  readonly codes: CodeExchange;
  readonly files: DurableFiles;
}
const realPorts = (options: CommissionOptions): Ports => ({
  ...networkPorts(options, clock),
  files: durableFiles,
});

/** As a new process begins: from what is on the disk. */
async function attempt(options: CommissionOptions, ports: Ports = realPorts(options)): Promise<Journal> {
  const places = placesOf(options);
  const { serial, site } = options;
  const journal = await Journal.open(places.journal, { serial, site, nowMs: clock.now() }, ports.files);
  await keepRootCa(places, options.rootCaFile, ports.files);
  await makeIdentity({ options, places, journal, clock, ...ports });
  return journal;
}

async function principalsOf(thingName: string): Promise<readonly string[]> {
  return (await region.iot.send(new ListThingPrincipalsCommand({ thingName }))).principals ?? [];
}

/** The certificates that count, but for claims, which are over in five minutes. */
function activeDevices(): number {
  const soonMs = clock.now() + 3_600_000;
  const known = [...region.cloud.cloud.iot.iot.certificates.certificates.entries()];
  return known.filter(
    ([, { status, certificatePem }]) =>
      status === "ACTIVE" && new X509Certificate(certificatePem ?? "").validToDate.getTime() > soonMs,
  ).length;
}

/** The power goes at the n-th point: of something that is written, or asked of the network. */
function cutting(real: Ports, n: number): Ports & { readonly points: readonly string[] } {
  const open: IotConnection[] = [];
  const cut = new PowerCut(n, () => Promise.all(open.map((connection) => connection.close())));
  return {
    points: cut.points,
    files: cut.files(real.files),
    codes: {
      exchange: (shown) => cut.around("the exchange", () => real.codes.exchange(shown)),
      why: (shown) => cut.around("why", () => real.codes.why(shown)),
    },
    iot: {
      connect: async (identity) => {
        const connection = await cut.around(`connecting as the ${identity.whose}`, async () => {
          const opened = await real.iot.connect(identity);
          open.push(opened);
          return opened;
        });
        return {
          subscribe: (topic, heard) =>
            cut.around(`subscribing to ${topic}`, () => connection.subscribe(topic, heard)),
          publish: (topic, payload) =>
            cut.around(`asking ${topic}`, () => connection.publish(topic, payload)),
          close: () => connection.close(),
        };
      },
    },
  };
}

test("cut at every write and every question, the next run ends with one certificate and one identity, and no code anywhere", async () => {
  const codes: string[] = [];
  let points: readonly string[] = [];
  for (let n = 1; ; n += POINTS_APART) {
    const { options, places, minted } = await newDevice();
    codes.push(minted.code);
    const before = activeDevices();
    const cut = cutting(realPorts(options), n);
    const wasCut = await attempt(options, cut).then(() => false, onlyCut);
    const where = cut.points.at(-1);
    if (wasCut) await attempt(options);
    expect(activeDevices(), where).toBe(before + 1);
    expect(await principalsOf(options.serial), where).toHaveLength(1);
    await holdsNoSecret(options.root, minted.code, where);
    await expect(readFile(places.claimCode), where).rejects.toThrow("ENOENT");
    if (!wasCut) {
      points = cut.points;
      break;
    }
  }
  // Every step has its points, so that none can be left out unseen.
  expect(points.filter((name) => name.startsWith("before")).map((name) => name.slice(7))).toEqual([
    "journal.json",
    "AmazonRootCA1.pem",
    "private.pem.key",
    "device.csr",
    "journal.json",
    "the exchange",
    "connecting as the claim",
    ...questions("$aws/certificates/create-from-csr/json"),
    "ownership-token",
    "device.pem.crt",
    "journal.json",
    ...questions("$aws/provisioning-templates/CoalmineDevice/provision/json"),
    "journal.json",
    "connecting as the device",
    "journal.json",
    "erasing claim-code",
    "erasing ownership-token",
    "erasing device.csr",
    "journal.json",
  ]);
  // Neither in what the cloud's side has logged, nor in what it keeps.
  const kept = (await filesBelow(join(folder, "cloud"))).map(({ text }) => text);
  expect(kept.join("")).toContain(codes[0]?.slice(0, 4));
  for (const code of codes)
    for (const text of [...kept, ...logLines]) expect(text.includes(code), code).toBe(false);
}, 600_000);

const questions = (topic: string): string[] => [
  `subscribing to ${topic}/accepted`,
  `subscribing to ${topic}/rejected`,
  `asking ${topic}`,
];

async function holdsNoSecret(root: string, code: string, where: string | undefined): Promise<void> {
  for (const { path, text } of await filesBelow(root)) {
    expect(text.replaceAll("-", ""), `${path}, cut ${where}`).not.toContain(code.replaceAll("-", ""));
    const keys = text.match(/PRIVATE KEY/g)?.length ?? 0;
    expect(keys > 0 && !path.endsWith("private.pem.key"), `${path}, cut ${where}`).toBe(false);
  }
}

test("a code that is mistyped, unknown, expired or another device's is told apart", async () => {
  const { options, places } = await newDevice();
  await writeFile(places.claimCode, "2345-6789-ABCD\n");
  await expect(attempt(options)).rejects.toMatchObject({
    reason: "code-wrong",
    message: expect.stringContaining("a symbol of it is wrong") as string,
  });
  await writeClaimCode(
    places.claimCode,
    newClaimCode(() => 0),
  );
  await expect(attempt(options)).rejects.toMatchObject({
    reason: "code-wrong",
    message: expect.stringContaining("not known") as string,
  });
  await rm(places.claimCode);
  await expect(attempt(options)).rejects.toMatchObject({
    reason: "code-wrong",
    message: expect.stringContaining(places.claimCode) as string,
  });

  const first = await newDevice();
  await attempt(first.options);
  const copied = await newDevice();
  await writeClaimCode(copied.places.claimCode, first.minted.code);
  await expect(attempt(copied.options)).rejects.toMatchObject({ reason: "code-used" });
  const { history } = await showDevice(region.claims, { thing: first.options.serial });
  expect(history.map(({ kind }) => kind)).toEqual(["allowed", "replayed"]);
});

test("a code that others can read stops it, with how to mend that", async () => {
  const { options, places } = await newDevice();
  await chmod(places.claimCode, 0o640);
  await expect(attempt(options)).rejects.toMatchObject({
    reason: "file-modes",
    message: expect.stringContaining(`chmod 600 ${places.claimCode}`) as string,
  });
});

test("the technician is told why the allow-list refused, and goes on once it is mended", async () => {
  const cases = [
    { allowed: { serial: "another" }, reason: "serial" },
    { allowed: { site: "ward-9" }, reason: "site" },
    { allowed: { hardwareId: "another-board" }, reason: "hardware" },
  ];
  for (const { allowed, reason } of cases) {
    const { options } = await newDevice({}, allowed);
    await expect(attempt(options)).rejects.toMatchObject({
      reason: "not-allowed",
      message: expect.stringContaining(`not-allowed: ${reason}: the code is for`) as string,
    });
    await expect(principalsOf(options.serial)).rejects.toThrow(/does not exist/);
  }
  const { options } = await newDevice({}, { site: "ward-9" });
  await expect(attempt(options)).rejects.toMatchObject({ reason: "not-allowed" });
  await attempt({ ...options, site: "ward-9" });
  expect(await principalsOf(options.serial)).toHaveLength(1);
});

test("a name that is a device's already, and a certificate for another key, get no thing", async () => {
  const taken = await newDevice();
  await attempt(taken.options);
  const { options } = await newDevice({ serial: taken.options.serial, root: join(folder, "impostor") }, {});
  await newClaim(region, placesOf(options).claimCode, { site: "ward-7" });
  await expect(attempt(options)).rejects.toMatchObject({
    reason: "not-allowed",
    message: expect.stringContaining("is a device already") as string,
  });

  const victim = await newDevice();
  const real = realPorts(victim.options);
  // Whoever has the claim, and another key than the one that showed the code.
  const thief: Ports = {
    ...real,
    files: {
      ...durableFiles,
      write: async (path, text, mode) => {
        const other = path.endsWith("device.csr") ? newSigningRequest("thief").request : text;
        await durableFiles.write(path, other, mode);
      },
    },
  };
  await expect(attempt(victim.options, thief)).rejects.toMatchObject({
    reason: "not-allowed",
    message: expect.stringContaining("another key") as string,
  });
});
