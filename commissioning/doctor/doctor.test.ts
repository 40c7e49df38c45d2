import { generateKeyPairSync } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { Clock } from "@coalmine/ports";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock as clock } from "@coalmine/runtime/system-clock";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { Instrument } from "../../simulator/instruments/instrument.ts";
import { MemoryLedger } from "../../simulator/instruments/ledger.ts";
import { servePty, type ServedPty } from "../../simulator/instruments/pty.ts";
import { Rheometer } from "../../simulator/instruments/rheometer.ts";
import { type LocalRegion, startLocalRegion } from "../../test/local-region.ts";
import { commissionIn } from "../../test/on-this-machine.ts";
import { examine } from "./doctor.ts";
import type { ComponentRights } from "./rights.ts";

const needed: ComponentRights[] = [
  { component: "coalmine.SensorReader", rights: ["serialPorts"] },
  { component: "coalmine.LogManager", rights: ["logFolder"] },
];
/** Has an account on every Linux, and no right to what others close. */
const STRANGER = "nobody";
const isRoot = userInfo().uid === 0;

let folder: string;
let region: LocalRegion;
let instrument: Instrument;
let port: ServedPty;
const root = () => join(folder, "core-1");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cm-doctor-"));
  await chmod(folder, 0o755);
  region = await startLocalRegion(join(folder, "cloud"));
  const random = new SeededRandom("doctor");
  instrument = new Instrument({
    id: "rheo-1",
    clock,
    random,
    source: new Rheometer({ random: random.fork("rheometer") }),
    ledger: new MemoryLedger(),
    phaseMs: 3_000_000,
  });
  port = servePty(instrument, join(folder, "ports"), clock);
  instrument.start();
  const serialFolder = join(folder, "ports");
  await commissionIn(region, folder, { name: "core-1", root: root(), serialFolder, instrument: "rheo-1" });
  await mkdir(join(root(), "logs"));
});

afterAll(async () => {
  instrument.stop();
  port.unplug();
  await region.cloud.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  await writeFile(join(root(), "logs", "coalmine.SensorReader.log"), "a line\n", { mode: 0o640 });
});

async function look(changes: { serialFolders?: string[]; clock?: Clock } = {}) {
  const findings = await examine({
    root: root(),
    serialFolders: [join(folder, "ports")],
    needed,
    clock,
    ...changes,
  });
  return Object.fromEntries(findings.map((finding) => [finding.check, finding]));
}

/** Changes the configuration for as long as `work` takes. */
async function configured(change: (configuration: Nucleus) => void, work: () => Promise<void>) {
  const file = join(root(), "config", "config.yaml");
  const text = await readFile(file, "utf8");
  const configuration = parse(text) as Nucleus;
  change(configuration);
  await writeFile(file, stringify(configuration));
  try {
    await work();
  } finally {
    await writeFile(file, text);
  }
}
interface Nucleus {
  services: {
    "aws.greengrass.Nucleus": {
      configuration: { mqtt: { port: number }; runWithDefault?: { posixUser: string } };
    };
  };
}

test("a device that was just commissioned has nothing to mend", async () => {
  const findings = await look();
  expect(Object.values(findings).filter(({ state }) => state !== "ok")).toEqual([]);
  expect(Object.keys(findings)).toHaveLength(7);
});

test("rights are tried as the user that components run as, or said to be unknown", async () => {
  await configured(
    ({ services }) => {
      services["aws.greengrass.Nucleus"].configuration.runWithDefault = { posixUser: `${STRANGER}:nogroup` };
    },
    async () => {
      const findings = await look();
      const ports = findings["coalmine.SensorReader may open serial ports"];
      const logs = findings["coalmine.LogManager may read the log folder"];
      if (isRoot) {
        expect(ports).toMatchObject({ state: "failed", kind: "permission" });
        expect(ports).toHaveProperty("remedy", expect.stringContaining(`usermod -aG dialout ${STRANGER}`));
        expect(logs).toMatchObject({ state: "failed", kind: "permission" });
        await chmod(join(root(), "logs", "coalmine.SensorReader.log"), 0o644);
      } else {
        expect(ports).toMatchObject({
          state: "not checked",
          sentence: expect.stringContaining(STRANGER) as string,
        });
        expect(logs).toMatchObject({ state: "not checked" });
      }
    },
  );
});

test("without a port nothing is claimed about it", async () => {
  const findings = await look({ serialFolders: [join(folder, "nowhere")] });
  expect(findings["coalmine.SensorReader may open serial ports"]).toMatchObject({
    state: "not checked",
    remedy: expect.stringContaining("plug") as string,
  });
});

test("an open key, a wrong clock and a closed port are each named with their remedy", async () => {
  const key = join(root(), "thing", "private.pem.key");
  await chmod(key, 0o644);
  expect((await look())["the device's identity"]).toMatchObject({
    state: "failed",
    kind: "permission",
    remedy: expect.stringContaining("chmod 600") as string,
  });
  await chmod(key, 0o600);

  const late: Clock = { ...clock, now: () => clock.now() + 3_600_000 };
  expect((await look({ clock: late }))["the clock"]).toMatchObject({
    state: "failed",
    sentence: expect.stringContaining("60 minutes ahead") as string,
  });

  await configured(
    ({ services }) => {
      services["aws.greengrass.Nucleus"].configuration.mqtt.port = 1;
    },
    async () => {
      expect((await look())["the way to AWS IoT Core"]).toMatchObject({
        state: "failed",
        kind: "unreachable",
      });
    },
  );
});

test("a key of another device is no pair with the certificate", async () => {
  const key = join(root(), "thing", "private.pem.key");
  const own = await readFile(key);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(key, privateKey.export({ type: "pkcs8", format: "pem" }));
  expect((await look())["the device's identity"]).toMatchObject({ state: "failed", kind: "other" });
  await writeFile(key, own);
});

test("where no core device is, the sentence says how to name it", async () => {
  await symlink(join(folder, "nowhere"), join(folder, "link"));
  await expect(examine({ root: join(folder, "link"), serialFolders: [], needed, clock })).rejects.toThrow(
    "--root",
  );
});
