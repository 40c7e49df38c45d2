import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@coalmine/ports";
import { systemClock } from "@coalmine/runtime/system-clock";
import { systemRandom } from "@coalmine/runtime/system-random";
import { afterAll, expect, test } from "vitest";
import { ConfigurationTree } from "../configuration/tree.ts";
import { Services } from "../lifecycle/services.ts";
import { NodeRoot } from "./node-root.ts";
import { ShellLauncher } from "./shell-launcher.ts";
import { systemUser } from "./system-users.ts";

/** What needs root is reported as NOT RUN where the tests run as somebody else. */
const isRoot = process.getuid?.() === 0;
const nobody = await systemUser("nobody");
const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function device(lifecycle: JsonObject, runWith: JsonObject, nucleus: JsonObject = {}) {
  const path = await mkdtemp(join(tmpdir(), "coalmine-privileges-"));
  folders.push(path);
  // As a device's root is: everybody may go in, and read what is theirs.
  await chmod(path, 0o755);
  await mkdir(join(path, "config"), { mode: 0o700 });
  await writeFile(join(path, "config/device.key"), "secret", { mode: 0o600 });
  const root = new NodeRoot(path);
  const artifact = "packages/artifacts/A/1.0.0/tool";
  await root.writeArtifact(artifact, new TextEncoder().encode("tool"), { read: "OWNER", execute: "NONE" });
  const tree = new ConfigurationTree();
  tree.merge(["services", "A"], { version: "1.0.0", lifecycle, runWith }, 1);
  tree.merge(["services", "aws.greengrass.Nucleus", "configuration"], nucleus, 1);
  const surroundings = {
    thingName: "T",
    region: "us-east-1",
    nucleusVersion: "2.18.0",
    rootPath: path,
    rootCaPath: undefined,
    credentialsUri: undefined,
    inherited: { PATH: process.env["PATH"] ?? "" },
  };
  let settled: (outcome: string) => void = () => undefined;
  const end = new Promise<string>((resolve) => (settled = resolve));
  const services = new Services({
    clock: systemClock,
    random: systemRandom,
    root,
    tree,
    launcher: new ShellLauncher("/usr/bin:/bin", systemUser),
    surroundings: () => surroundings,
    builtIns: {},
    changed: (_, { to, details }) => {
      if (to === "FINISHED" || to === "BROKEN") settled(details?.code ?? to);
    },
  });
  services.apply(false);
  const outcome = await end;
  await services.stop();
  const log = (await root.readText("logs/A.log")) ?? "";
  const owner = async (name: string): Promise<number> => (await stat(join(path, name))).uid;
  return { outcome, log, owner, artifact };
}

const look =
  "id -un; echo $HOME; touch mine; cat ../../packages/artifacts/A/1.0.0/tool; echo; cat ../../config/device.key || echo refused";

test.skipIf(!isRoot)(
  "a script runs as the component's user, with what is that user's and nothing of the device's [core-device-4.15]",
  async () => {
    const { outcome, log, owner, artifact } = await device({ Run: look }, { posixUser: "nobody" });
    expect(outcome).toBe("FINISHED");
    for (const said of ["nobody", nobody.home, "tool", "refused"]) expect(log).toContain(`stdout. ${said}.`);
    expect(await owner("work/A/mine")).toBe(nobody.userId);
    expect(await owner(artifact)).toBe(nobody.userId);
  },
);

test.skipIf(!isRoot)(
  "the nucleus's default user stands in, with a group of its own, and a step that requires privilege is root's [core-device-4.15]",
  async () => {
    const lifecycle = {
      Install: { Script: "id -un; cat ../../config/device.key; echo", RequiresPrivilege: true },
      Run: "id -u; id -gn",
    };
    const defaults = { runWithDefault: { posixUser: `${nobody.userId}:daemon` } };
    const { outcome, log } = await device(lifecycle, {}, defaults);
    expect(outcome).toBe("FINISHED");
    for (const said of ["root", "secret", String(nobody.userId), "daemon"])
      expect(log).toContain(`stdout. ${said}.`);
  },
);

test.skipIf(!isRoot)(
  "a step that has nobody to run as, or somebody whom the system does not know, fails with its own code [core-device-4.16]",
  async () => {
    expect((await device({ Run: "true" }, {})).outcome).toBe("RUN_MISSING_DEFAULT_RUNWITH");
    expect((await device({ Install: "true" }, {})).outcome).toBe("INSTALL_MISSING_DEFAULT_RUNWITH");
    expect((await device({ Startup: "true" }, { posixUser: "no-such-user" })).outcome).toBe(
      "STARTUP_IO_ERROR",
    );
  },
);

test("users and groups are known by name and by number, and what is not there is said [core-device-4.16]", async () => {
  expect(nobody).toMatchObject({ posixUser: "nobody", name: "nobody" });
  expect(await systemUser(`${nobody.userId}`)).toEqual({ ...nobody, posixUser: `${nobody.userId}` });
  expect(await systemUser("nobody:1")).toMatchObject({ userId: nobody.userId, groupId: 1 });
  expect(await systemUser("54321")).toMatchObject({ userId: 54_321, groupId: 54_321, name: "" });
  await expect(systemUser("no-such-user")).rejects.toThrow(/has no user no-such-user; create it/);
  await expect(systemUser("nobody:no-such-group")).rejects.toThrow(/has no group no-such-group/);
});
