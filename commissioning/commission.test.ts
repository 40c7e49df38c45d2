import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type IoTClient,
  ListCertificatesCommand,
  ListThingPrincipalsCommand,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import { serialLinks } from "@coalmine/device/serial-links";
import type { Clock } from "@coalmine/ports";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { names } from "../infra/identity/identity.ts";
import { CertificateAuthority } from "../simulator/cloud/identity/certificate-authority.ts";
import type { StartedCloud } from "../simulator/cloud/start-cloud.ts";
import type { Attachable } from "../simulator/instruments/hosted-links.ts";
import { Instrument } from "../simulator/instruments/instrument.ts";
import { MemoryLedger } from "../simulator/instruments/ledger.ts";
import { servePty, type ServedPty } from "../simulator/instruments/pty.ts";
import { Rheometer } from "../simulator/instruments/rheometer.ts";
import { type LocalRegion, newClaim, place, startLocalRegion } from "../test/local-region.ts";
import { commission } from "./commission.ts";
import { makeIdentity } from "./identity.ts";
import type { IotConnection, IotConnector } from "./iot-connection.ts";
import { Journal } from "./journal.ts";
import { mqttConnector } from "./mqtt-connector.ts";
import { CommissionOptions } from "./options.ts";
import { placesOf } from "./places.ts";
import { sha256 } from "./report/canonical-json.ts";

const clock = systemClock;
let folder: string;
let region: LocalRegion;
let cloud: StartedCloud;
let iot: IoTClient;
let instrument: Instrument;
const served: ServedPty[] = [];
let made = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cm-site-"));
  region = await startLocalRegion(join(folder, "cloud"));
  ({ cloud, iot } = region);
  const random = new SeededRandom("site");
  const source = new Rheometer({ random: random.fork("rheometer") });
  instrument = new Instrument({
    id: "rheo-1",
    clock,
    random,
    source,
    ledger: new MemoryLedger(),
    periodMs: 3_600_000,
    phaseMs: 3_000_000,
  });
  served.push(servePty(instrument, join(folder, "ports"), clock));
  instrument.start();
});

afterAll(async () => {
  instrument.stop();
  for (const port of served) port.unplug();
  await cloud.close();
  await rm(folder, { recursive: true, force: true });
});

/** The settings of a device that has not been commissioned, with a claim of its own. */
async function newDevice(changes: Partial<Record<keyof CommissionOptions, unknown>> = {}) {
  const serial = `core-${++made}`;
  const claimFolder = join(folder, `${serial}-claim`);
  const claim = await newClaim(region, claimFolder);
  const settings = {
    serial,
    site: "ward-7",
    root: join(folder, serial),
    claimFolder,
    region: place.region,
    iotDataEndpoint: "localhost",
    mqttPort: cloud.ports.mqtt,
    iotCredEndpoint: `localhost:${cloud.ports.credentials}`,
    greengrassDataPlaneEndpoint: "localhost",
    greengrassDataPlanePort: cloud.ports.dataPlane,
    serialFolders: [join(folder, "ports")],
    ...changes,
  };
  return { settings, options: CommissionOptions.parse(settings), claim };
}

function portsOf(options: CommissionOptions, at: Clock = clock) {
  return {
    clock: at,
    links: serialLinks(clock, { folders: options.serialFolders }),
    iot: mqttConnector({ host: options.iotDataEndpoint, port: options.mqttPort }, clock),
  };
}
const run = (options: CommissionOptions, at?: Clock) => commission(options, portsOf(options, at));
const at = (nowMs: () => number): Clock => ({ ...clock, now: nowMs });

async function principalsOf(thingName: string): Promise<readonly string[]> {
  return (await iot.send(new ListThingPrincipalsCommand({ thingName }))).principals ?? [];
}
async function activeCertificates(): Promise<number> {
  let count = 0;
  let marker: string | undefined;
  do {
    const page = await iot.send(
      new ListCertificatesCommand({ pageSize: 250, ...(marker === undefined ? {} : { marker }) }),
    );
    count += page.certificates?.filter(({ status }) => status === "ACTIVE").length ?? 0;
    marker = page.nextMarker;
  } while (marker !== undefined);
  return count;
}
async function everyFile(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test("a device gets an identity of its own, a tested instrument, a configuration and a report, and the claim is gone", async () => {
  const { options, claim } = await newDevice();
  const { report, sha256: hash, reportFiles } = await run(options);
  expect(report).toMatchObject({
    thing: options.serial,
    passed: true,
    claimErased: true,
    ports: [{ port: "rheo-1", instrument: "rheo-1", found: true, passed: true }],
  });
  expect(await principalsOf(options.serial)).toHaveLength(1);
  expect(await readdir(options.claimFolder)).toEqual(["AmazonRootCA1.pem"]);

  const places = placesOf(options);
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
  expect([
    await modeOf(places.privateKey),
    await modeOf(places.certificate),
    await modeOf(places.configuration),
  ]).toEqual(["600", "644", "640"]);
  expect([await modeOf(options.root), await modeOf(places.reportJson)]).toEqual(["700", "640"]);
  const configuration = parse(await readFile(places.configuration, "utf8")) as object;
  expect(configuration).toMatchObject({
    system: {
      thingName: options.serial,
      certificateFilePath: places.certificate,
      privateKeyPath: places.privateKey,
      rootCaPath: places.rootCa,
    },
    services: {
      "aws.greengrass.Nucleus": {
        configuration: {
          awsRegion: place.region,
          mqtt: { port: cloud.ports.mqtt },
          iotRoleAlias: names.roleAlias,
        },
      },
    },
  });
  const [json = "", ...pages] = await Promise.all(reportFiles.map((path) => readFile(path, "utf8")));
  expect(sha256(json)).toBe(hash);
  for (const page of pages) expect(page).toContain(hash);

  // No secret but the device's own key is left in any file.
  const secret = claim.key.split("\n")[1] ?? "";
  const own = (await readFile(places.privateKey, "utf8")).split("\n")[1] ?? "";
  for (const file of await everyFile(options.root)) {
    const held = await readFile(file, "utf8");
    expect(held.includes(secret), file).toBe(false);
    if (file !== places.privateKey) expect(held.includes(own), file).toBe(false);
  }

  const [before] = await principalsOf(options.serial);
  expect(await run(options)).toMatchObject({ sha256: hash });
  expect(await principalsOf(options.serial)).toEqual([before]);
});

/** Ends like a power cut just before, or just after, the n-th thing that is asked of AWS IoT. */
function cutting(real: IotConnector, n: number, when: "before" | "after"): IotConnector {
  let left = n;
  const counted = async <Result>(ask: () => Promise<Result>): Promise<Result> => {
    left -= 1;
    if (left === 0 && when === "before") throw new Error("cut");
    const result = await ask();
    if (left === 0) throw new Error("cut");
    return result;
  };
  const open: IotConnection[] = [];
  return {
    connect: async (identity) => {
      const connection = await counted(async () => {
        const opened = await real.connect(identity);
        open.push(opened);
        return opened;
      }).catch(async (failure: unknown) => {
        for (const opened of open) await opened.close();
        throw failure;
      });
      return {
        subscribe: (topic, heard) => counted(() => connection.subscribe(topic, heard)),
        publish: (topic, payload) => counted(() => connection.publish(topic, payload)),
        close: () => connection.close(),
      };
    },
  };
}

test("cut before or after anything that is asked of AWS IoT, the next run ends with one certificate", async () => {
  let cuts = 0;
  for (const when of ["before", "after"] as const)
    for (let n = 1; ; n++) {
      const { options } = await newDevice();
      const places = placesOf(options);
      await mkdir(join(options.root, "thing"), { recursive: true });
      await writeFile(places.rootCa, cloud.cloud.iot.authority.certificatePem);
      const real = mqttConnector({ host: "localhost", port: cloud.ports.mqtt }, clock);
      const attempt = async (connector: IotConnector) => {
        // As a new process begins: from what is on the disk.
        const journal = await Journal.open(places.journal, {
          serial: options.serial,
          site: options.site,
          nowMs: clock.now(),
        });
        await makeIdentity({ options, places, journal, clock, iot: connector });
        return journal;
      };
      const before = await activeCertificates();
      const wasCut = await attempt(cutting(real, n, when)).then(
        () => false,
        (failure: Error) => failure.message === "cut",
      );
      if (wasCut) await attempt(real);
      expect(await activeCertificates(), `cut ${when} ${n}`).toBe(before + 1);
      expect(await principalsOf(options.serial)).toHaveLength(1);
      expect(await readdir(options.claimFolder)).toEqual(["AmazonRootCA1.pem"]);
      if (!wasCut) break;
      cuts += 1;
    }
  // Two connections, and two subscriptions and a publication for each of two questions.
  expect(cuts).toBe(16);
}, 60_000);

test("killed again and again, the program goes on where it was", async () => {
  const { settings, options } = await newDevice();
  const file = join(folder, `${options.serial}.json`);
  await writeFile(file, JSON.stringify(settings));
  const begin = () =>
    spawn(process.execPath, [join(import.meta.dirname, "main.ts"), "--settings", file, "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
  const before = await activeCertificates();
  for (const afterMs of [0, 30, 90, 200]) {
    const child = begin();
    const exited = once(child, "exit");
    let errors = "";
    // Read to its end: a program whose output nobody takes any more ends by itself.
    await new Promise<void>((begun) => {
      child.stderr.on("data", (chunk: Buffer) => {
        errors += chunk.toString();
        if (errors.includes("Clock")) begun();
      });
    });
    await clock.sleep(afterMs);
    child.kill("SIGKILL");
    expect((await exited)[1]).toBe("SIGKILL");
  }
  const last = begin();
  const out: string[] = [];
  last.stdout.on("data", (chunk: Buffer) => out.push(chunk.toString()));
  const [code] = (await once(last, "exit")) as [number];
  expect([code, JSON.parse(out.join(""))]).toMatchObject([
    0,
    { outcome: "commissioned", report: { thing: options.serial, passed: true } },
  ]);
  expect(await activeCertificates()).toBe(before + 1);
}, 60_000);

test("a clock that was never set, or is an hour off, stops it before anything is asked for", async () => {
  const { options } = await newDevice();
  await expect(
    run(
      options,
      at(() => 5000),
    ),
  ).rejects.toMatchObject({
    reason: "clock-not-set",
    message: expect.stringContaining("1970-01-01") as string,
  });
  await expect(
    run(
      options,
      at(() => clock.now() + 3_600_000),
    ),
  ).rejects.toMatchObject({
    reason: "clock-off",
    message: expect.stringContaining("60 minutes ahead") as string,
  });
  expect(await readdir(options.claimFolder)).toHaveLength(3);
});

test("what is wrong with a claim is told apart", async () => {
  const inactive = await newDevice();
  await iot.send(
    new UpdateCertificateCommand({ certificateId: inactive.claim.certificateId, newStatus: "INACTIVE" }),
  );
  await expect(run(inactive.options)).rejects.toMatchObject({ reason: "claim-refused" });

  const expired = await newDevice();
  const old = cloud.cloud.iot.authority.expiredKeysAndCertificate();
  await writeFile(join(expired.options.claimFolder, "claim.pem.crt"), old.certificatePem);
  await writeFile(join(expired.options.claimFolder, "claim.private.pem.key"), old.privateKeyPem);
  await expect(run(expired.options)).rejects.toMatchObject({
    reason: "claim-expired",
    message: expect.stringContaining("good until") as string,
  });

  const template = await newDevice({ provisioningTemplate: "Other" });
  await expect(run(template.options)).rejects.toMatchObject({ reason: "claim-refused" });

  const open = await newDevice();
  await chmod(join(open.options.claimFolder, "claim.private.pem.key"), 0o644);
  await expect(run(open.options)).rejects.toMatchObject({ reason: "file-modes" });
}, 60_000);

test("a network that does not lead there and an authority that is not ours are told apart", async () => {
  const nowhere = await newDevice({ iotCredEndpoint: "localhost:1" });
  await expect(run(nowhere.options)).rejects.toMatchObject({
    reason: "unreachable",
    message: expect.stringContaining("firewall") as string,
  });

  const noMqtt = await newDevice({ mqttPort: 1 });
  await expect(run(noMqtt.options)).rejects.toMatchObject({
    reason: "unreachable",
    message: expect.stringContaining("localhost:1") as string,
  });

  const other = await newDevice();
  const stranger = await CertificateAuthority.open({ random: systemRandom, wallClock: clock });
  await writeFile(join(other.options.claimFolder, "AmazonRootCA1.pem"), stranger.certificatePem);
  await expect(run(other.options)).rejects.toMatchObject({ reason: "wrong-authority" });
});

test("no port and a silent instrument stop it, and once mended it goes on from there", async () => {
  await mkdir(join(folder, "empty"));
  const without = await newDevice({ serialFolders: [join(folder, "empty")] });
  await expect(run(without.options)).rejects.toMatchObject({ reason: "no-serial-port" });
  const [certificate] = await principalsOf(without.options.serial);

  const mute: Attachable = { id: "mute", attach: () => undefined };
  const silent = servePty(mute, join(folder, "mute"), clock);
  served.push(silent);
  const options = { ...without.options, serialFolders: [join(folder, "mute")] };
  await expect(run(options)).rejects.toMatchObject({
    reason: "silent-instrument",
    message: expect.stringContaining("power and cable") as string,
  });

  await expect(run({ ...options, serialFolders: [join(folder, "ports")] })).resolves.toMatchObject({
    report: { passed: true },
  });
  expect(await principalsOf(without.options.serial)).toEqual([certificate]);
}, 30_000);

/** Needs the right to mount, which a container may not give. */
const mayMount = spawnSync("unshare", ["-m", "sh", "-c", "mount -t tmpfs -o size=4k none /mnt"]).status === 0;

test.skipIf(!mayMount)(
  "a full disk stops it, and no half file is left",
  async () => {
    const { settings, options } = await newDevice();
    await mkdir(options.root);
    const file = join(folder, `${options.serial}.json`);
    await writeFile(file, JSON.stringify(settings));
    const script =
      'mount -t tmpfs -o size=12k none "$1" && "$2" "$3" --settings "$4" --json; code=$?; find "$1" -name "*.part" >&2; exit $code';
    const child = spawn("unshare", [
      "-m",
      "sh",
      "-c",
      script,
      "sh",
      options.root,
      process.execPath,
      join(import.meta.dirname, "main.ts"),
      file,
    ]);
    let out = "";
    let errors = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    await once(child, "exit");
    expect(JSON.parse(out)).toMatchObject({ outcome: "refused", reason: "disk-full" });
    expect(errors).not.toContain(".part");
  },
  30_000,
);
