import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type IoTClient, ListThingPrincipalsCommand } from "@aws-sdk/client-iot";
import { serialLinks } from "@coalmine/device/serial-links";
import type { Clock } from "@coalmine/ports";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import type { RunProgram } from "@coalmine/site/program";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { names } from "../infra/identity/identity.ts";
import { CertificateAuthority } from "../simulator/cloud/identity/certificate-authority.ts";
import type { StartedCloud } from "../simulator/cloud/start-cloud.ts";
import { mute } from "../simulator/instruments/wiring.ts";
import { Instrument } from "../simulator/instruments/instrument.ts";
import { MemoryLedger } from "../simulator/instruments/ledger.ts";
import { servePty, type ServedPty } from "../simulator/instruments/pty.ts";
import { Rheometer } from "../simulator/instruments/rheometer.ts";
import { type LocalRegion, newClaim, place, startLocalRegion } from "../test/local-region.ts";
import { commission } from "./commission.ts";
import { networkPorts } from "./network-ports.ts";
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

/** The settings of a device that has not been commissioned, with a code of its own. */
async function newDevice(changes: Partial<Record<keyof CommissionOptions, unknown>> = {}) {
  const serial = `core-${++made}`;
  const claimCodeFile = join(folder, serial, "commissioning", "claim-code");
  const claim = await newClaim(region, claimCodeFile, { serial, site: "ward-7" });
  const settings = {
    serial,
    site: "ward-7",
    root: join(folder, serial),
    claimCodeFile,
    ...region.claiming,
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
    ...networkPorts(options, clock),
  };
}
const run = (options: CommissionOptions, at?: Clock) => commission(options, portsOf(options, at));
const at = (nowMs: () => number): Clock => ({ ...clock, now: nowMs });

async function principalsOf(thingName: string): Promise<readonly string[]> {
  return (await iot.send(new ListThingPrincipalsCommand({ thingName }))).principals ?? [];
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
  const secret = claim.code.replaceAll("-", "");
  const own = (await readFile(places.privateKey, "utf8")).split("\n")[1] ?? "";
  for (const file of await everyFile(options.root)) {
    const held = await readFile(file, "utf8");
    expect(held.replaceAll("-", "").includes(secret), file).toBe(false);
    if (file !== places.privateKey) expect(held.includes(own), file).toBe(false);
  }

  const [before] = await principalsOf(options.serial);
  expect(await run(options)).toMatchObject({ sha256: hash });
  expect(await principalsOf(options.serial)).toEqual([before]);

  // Whatever is open to more people than it was left to stops it.
  const left = [places.privateKey, places.certificate, places.configuration, dirname(places.privateKey)];
  for (const path of left) {
    const mode = (await stat(path)).mode & 0o777;
    await chmod(path, mode | 0o022);
    await expect(run(options)).rejects.toMatchObject({
      reason: "file-modes",
      message: expect.stringContaining(`chmod ${mode.toString(8)} ${path}`) as string,
    });
    await chmod(path, mode);
  }
});

test("the nucleus is installed at the end; where it cannot be, the same run goes on once that is mended, with one certificate and its version in the report", async () => {
  const recipe = "ComponentName: aws.greengrass.Nucleus\nComponentVersion: 2.18.0\n";
  const [jar, text] = [new TextEncoder().encode("jar"), new TextEncoder().encode(recipe)];
  const zip = zipSync({ "lib/Greengrass.jar": jar, "conf/recipe.yaml": text });
  const archive = join(folder, "nucleus.zip");
  await writeFile(archive, zip);
  const digest = createHash("sha256").update(zip).digest("hex");
  const { options } = await newDevice({ nucleus: { archive, sha256: digest } });
  const loader = join(options.root, "alts/current/distro/bin/loader");
  let hasJava = false;
  const machine: RunProgram = async (command, [first]) => {
    if (command === "java" && !hasJava) return { code: 127, stdout: "", stderr: "" };
    if (first?.startsWith("-Droot=") === true) {
      expect(parse(await readFile(placesOf(options).configuration, "utf8"))).toBeDefined();
      await mkdir(dirname(loader), { recursive: true });
      await writeFile(loader, "");
    }
    return { code: 0, stdout: "", stderr: 'openjdk version "21.0.4"' };
  };
  const attempt = () => commission(options, { ...portsOf(options), run: machine });
  await expect(attempt()).rejects.toMatchObject({ reason: "nucleus" });
  const [before] = await principalsOf(options.serial);
  hasJava = true;
  expect((await attempt()).report.versions).toMatchObject({ nucleus: "2.18.0" });
  expect(await principalsOf(options.serial)).toEqual([before]);
});

test("killed again and again, the program goes on where it was", async () => {
  const { settings, options } = await newDevice();
  const file = join(folder, `${options.serial}.json`);
  await writeFile(file, JSON.stringify(settings));
  const begin = () =>
    spawn(process.execPath, [join(import.meta.dirname, "main.ts"), "--settings", file, "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
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
  expect(await principalsOf(options.serial)).toHaveLength(1);
});

test("a clock that was never set, or is an hour off, stops it before anything is asked for", async () => {
  const { options, claim } = await newDevice();
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
  expect(await readFile(placesOf(options).claimCode, "utf8")).toContain(claim.code);
});

test("without a network it finishes offline where that was asked for, and a later run completes the identity", async () => {
  const { settings } = await newDevice({ finishOffline: true });
  const cellar = CommissionOptions.parse({ ...settings, claimEndpoint: "https://localhost:1" });
  const { pending, report } = await run(cellar);
  expect({ pending, report }).toMatchObject({ pending: true, report: { certificateId: "", passed: true } });
  await expect(readFile(placesOf(cellar).configuration)).rejects.toThrow("ENOENT");
  const done = await run(CommissionOptions.parse(settings));
  expect(done).toMatchObject({
    pending: false,
    report: { certificateId: expect.stringMatching(/^[0-9a-f]{64}$/), passed: true, claimErased: true },
  });
  expect(await principalsOf(cellar.serial)).toHaveLength(1);

  const strict = await newDevice({ claimEndpoint: "https://localhost:1" });
  await expect(run(strict.options)).rejects.toMatchObject({ reason: "unreachable" });
});

test("a network that does not lead there and an authority that is not ours are told apart", async () => {
  const nowhere = await newDevice({ claimEndpoint: "https://localhost:1" });
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
  const rootCaFile = join(folder, "stranger.pem");
  await writeFile(rootCaFile, stranger.certificatePem);
  await expect(run({ ...other.options, rootCaFile })).rejects.toMatchObject({ reason: "wrong-authority" });
});

test("no port and a silent instrument stop it, and once mended it goes on from there", async () => {
  await mkdir(join(folder, "empty"));
  const without = await newDevice({ serialFolders: [join(folder, "empty")] });
  await expect(run(without.options)).rejects.toMatchObject({ reason: "no-serial-port" });
  const [certificate] = await principalsOf(without.options.serial);

  const silent = servePty(mute("mute"), join(folder, "mute"), clock);
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
}, 120_000);

/** Needs the right to mount, which a container may not give. */
const mayMount = spawnSync("unshare", ["-m", "sh", "-c", "mount -t tmpfs -o size=4k none /mnt"]).status === 0;

test.skipIf(!mayMount)("a full disk stops it, and no half file is left", async () => {
  const { settings, options } = await newDevice();
  // The root below will hide what is in it.
  const claimCodeFile = join(folder, "stick", "code");
  await newClaim(region, claimCodeFile, { site: "ward-7" });
  const file = join(folder, `${options.serial}.json`);
  await writeFile(file, JSON.stringify({ ...settings, claimCodeFile }));
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
});
