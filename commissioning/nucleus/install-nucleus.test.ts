import { createHash } from "node:crypto";
import { access, chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@coalmine/runtime";
import { systemClock } from "@coalmine/runtime/system-clock";
import type { RunProgram } from "@coalmine/site/program";
import { systemProgram } from "@coalmine/site/system-program";
import { zipSync } from "fflate";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CertificateAuthority } from "../../simulator/cloud/identity/certificate-authority.ts";
import { placesOf } from "../places.ts";
import { installNucleus } from "./install-nucleus.ts";

/**
 * A machine whose `java`, `systemctl` and `sudo` are scripts: what the nucleus's installer leaves, without the nucleus.
 * Each is started as a process, and told what the real one is told.
 */
const scripts = {
  sudo: "exit 0",
  systemctl: 'if [ "$1" = is-active ]; then test -f "$MACHINE/service"; fi',
  java: `if [ "$1" = -version ]; then echo 'openjdk version "17.0.15" 2025-04-15' >&2; exit 0; fi
echo "$@" >> "$MACHINE/installs"
root=\${1#-Droot=}
test -f "$4" || { echo "Unable to access jarfile $4" >&2; exit 1; }
mkdir -p "$root/alts/current/distro/bin"
touch "$root/alts/current/distro/bin/loader" "$MACHINE/service"`,
};

const recipe =
  "---\nRecipeFormatVersion: '2020-01-25'\nComponentName: aws.greengrass.Nucleus\nComponentVersion: 2.18.0\n";
const text = (content: string) => new TextEncoder().encode(content);
const zip = zipSync({
  "lib/Greengrass.jar": text("a jar"),
  "conf/recipe.yaml": text(recipe),
  "bin/loader": text("#!/bin/sh"),
});
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

let folder: string;
let root: string;
let archive: string;
let rootCaPem = "";
const servers: Server[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nucleus-"));
  root = join(folder, "greengrass");
  archive = join(folder, "image.zip");
  await mkdir(join(root, "config"), { recursive: true });
  await writeFile(archive, zip);
  for (const name of ["sudo", "systemctl", "java"] as const) await program(name, scripts[name]);
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(folder, { recursive: true });
});

async function program(name: string, script: string): Promise<void> {
  await mkdir(join(folder, "bin"), { recursive: true });
  await writeFile(join(folder, "bin", name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, "bin", name), 0o755);
}
const run: RunProgram = (command, args) =>
  access(join(folder, "bin", command)).then(
    () => systemProgram("env", [`MACHINE=${folder}`, join(folder, "bin", command), ...args]),
    () => ({ code: 127, stdout: "", stderr: "" }),
  );
const install = (nucleus = { archive, sha256: digest(zip) }) =>
  installNucleus({ root, componentDefaultUser: "ggc_user:ggc_group", nucleus }, placesOf({ root }), {
    run,
    clock: systemClock,
    proxy: undefined,
    rootCaPem,
  });
const installs = () => readFile(join(folder, "installs"), "utf8").catch(() => "");

async function serve(answer: Uint8Array | number, asTls = false): Promise<string> {
  const authority = await CertificateAuthority.open({
    random: new SeededRandom("files"),
    wallClock: systemClock,
  });
  rootCaPem = authority.certificatePem;
  const { certificatePem: cert, privateKeyPem: key } = authority.serverCertificate();
  const server = asTls ? createTlsServer({ cert, key }) : createServer();
  server.on("request", (_asked, response) =>
    typeof answer === "number" ? response.writeHead(answer).end() : response.end(answer),
  );
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const at = server.address();
  return `${asTls ? "https" : "http"}://localhost:${at === null || typeof at === "string" ? 0 : at.port}/greengrass-2.18.0.zip`;
}

test("from the image: its own installer is told root, configuration and user, and nothing of the archive stays; what runs is not installed again", async () => {
  expect(await install()).toBe("2.18.0");
  const places = placesOf({ root });
  expect(await installs()).toBe(
    `-Droot=${root} -Dlog.store=FILE -jar ${places.nucleusFolder}/lib/Greengrass.jar --init-config ${places.configuration} --component-default-user ggc_user:ggc_group --setup-system-service true\n`,
  );
  await expect(access(places.nucleusFolder)).rejects.toThrow("ENOENT");
  expect(await readFile(archive)).toHaveLength(zip.length);
  expect(await install()).toBe("2.18.0");
  expect((await installs()).split("\n")).toHaveLength(2);
});

test("by address, over TLS or from a mirror in the house: only what was recorded is used", async () => {
  for (const asTls of [true, false]) {
    await rm(join(folder, "service"), { force: true });
    expect(await install({ archive: await serve(zip, asTls), sha256: digest(zip) })).toBe("2.18.0");
  }
  expect((await installs()).split("\n")).toHaveLength(3);
  await expect(access(placesOf({ root }).nucleusArchive)).rejects.toThrow("ENOENT");
});

test("no java, an old one, no systemd, another archive, a door that is shut and an installer that fails are told apart; nothing is installed", async () => {
  const other = zipSync({ "readme.txt": text("no nucleus") });
  const sha256 = digest(zip);
  const cases: [() => Promise<unknown>, RegExp][] = [
    [() => install({ archive: join(folder, "gone.zip"), sha256 }), /gone\.zip is not on this device/],
    [() => install({ archive, sha256: digest(other) }), /recorded is .*another archive/],
    [async () => install({ archive: await serve(other), sha256 }), /somebody on the way changed it/],
    [
      async () => install({ archive: await serve(403), sha256 }),
      /unreachable: .* answers 403; let the device reach localhost/,
    ],
    [() => install({ archive: "http://localhost:1/n.zip", sha256 }), /unreachable: .*does not answer/],
    [
      async () => {
        await writeFile(archive, other);
        return install({ archive, sha256: digest(other) });
      },
      /no archive of AWS's nucleus \(it lacks lib\/Greengrass\.jar/,
    ],
    [
      async () => {
        const outside = zipSync({ "../../etc/passwd": text("x") });
        await writeFile(archive, outside);
        return install({ archive, sha256: digest(outside) });
      },
      /would lie outside its folder/,
    ],
    [
      () => program("java", `echo 'java version "1.7.0_80"' >&2`).then(() => install()),
      /java is 1\.7\.0_80, which is too old/,
    ],
    [() => rm(join(folder, "bin/java")).then(() => install()), /there is no java on this device; install/],
    [() => rm(join(folder, "bin/systemctl")).then(() => install()), /there is no (java|systemctl)/],
  ];
  for (const [attempt, sentence] of cases) await expect(attempt()).rejects.toThrow(sentence);
  expect(await installs()).toBe("");
  await writeFile(archive, zip);
  await program("systemctl", scripts.systemctl);
  await program(
    "java",
    `${scripts.java.split("\n")[0]}\necho "Unable to set up Nucleus as a system service"`,
  );
  await expect(install()).rejects.toThrow(
    /installer ends with 0, and greengrass\.service does not run: Unable to set up Nucleus/,
  );
});
