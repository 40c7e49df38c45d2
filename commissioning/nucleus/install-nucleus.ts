import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { NO_SUCH_PROGRAM, type RunProgram } from "@coalmine/site/program";
import type { CommissionOptions } from "../options.ts";
import type { Places } from "../places.ts";
import { CommissioningRefused } from "../refusal.ts";
import { type ArchiveMeans, nucleusArchive, type NucleusSettings } from "./archive.ts";
import { INSTALLER, unpackNucleus } from "./unpack.ts";

const SERVICE = "greengrass.service";
/** @see https://docs.aws.amazon.com/greengrass/v2/developerguide/greengrass-nucleus-component.html */
const JAVA_MAJOR_MIN = 8;
const OUTPUT_LINES = 3;

export interface InstallMeans extends ArchiveMeans {
  readonly run: RunProgram;
}

/**
 * Installs the nucleus (classic) by its own installer: it lays itself down below the root, and becomes a service of systemd
 * that runs now and after every start. Resolves with its version. May be cut at any point and asked for again.
 */
export async function installNucleus(
  options: Pick<CommissionOptions, "root" | "componentDefaultUser"> & { readonly nucleus: NucleusSettings },
  places: Pick<Places, "configuration" | "nucleusArchive" | "nucleusFolder">,
  means: InstallMeans,
): Promise<string> {
  const { root, componentDefaultUser, nucleus } = options;
  const { run } = means;
  // What is not there is said before anything is fetched.
  await refuseWithoutJava(run);
  await refuseWithout(
    "systemctl",
    ["--version"],
    "the nucleus runs as a service of systemd: use an image that has it",
    run,
  );
  await refuseWithout("sudo", ["-V"], "the nucleus becomes a service by it (`apt install sudo`)", run);
  const archive = await nucleusArchive(nucleus, places.nucleusArchive, means);
  const version = await unpackNucleus(archive, places.nucleusFolder);
  if (!(await isRunning(root, run))) {
    const { code, stdout, stderr } = await run("java", [
      `-Droot=${root}`,
      "-Dlog.store=FILE",
      "-jar",
      join(places.nucleusFolder, INSTALLER),
      "--init-config",
      places.configuration,
      ...(componentDefaultUser === undefined ? [] : ["--component-default-user", componentDefaultUser]),
      "--setup-system-service",
      "true",
    ]);
    // It ends well even where systemd refused its service.
    if (code !== 0 || !(await isRunning(root, run)))
      throw refused(
        `the nucleus's installer ends with ${code}, and ${SERVICE} does not run: ${lastLines(`${stdout}\n${stderr}`)}; look at ${join(root, "logs", "greengrass.log")} and \`journalctl -u ${SERVICE}\``,
      );
  }
  await rm(places.nucleusFolder, { recursive: true, force: true });
  await rm(places.nucleusArchive, { force: true });
  return version;
}

/** What systemd starts, started. */
async function isRunning(root: string, run: RunProgram): Promise<boolean> {
  const loader = join(root, "alts", "current", "distro", "bin", "loader");
  const isThere = await stat(loader).then(
    () => true,
    () => false,
  );
  return isThere && (await run("systemctl", ["is-active", "--quiet", SERVICE])).code === 0;
}

async function refuseWithoutJava(run: RunProgram): Promise<void> {
  const install = "install a Java runtime of version 11 or newer (`apt install default-jre-headless`)";
  const { code, stdout, stderr } = await run("java", ["-version"]);
  if (code === NO_SUCH_PROGRAM) throw refused(`there is no java on this device; ${install}`);
  // Before 9 it was called 1.8.
  const [, version, major = ""] = /version "((?:1\.)?(\d+)[^"]*)"/.exec(stderr + stdout) ?? [];
  if (code !== 0 || version === undefined)
    throw refused(`java does not run: ${lastLines(stderr + stdout)}; ${install}`);
  if (Number(major) < JAVA_MAJOR_MIN)
    throw refused(`java is ${version}, which is too old for the nucleus; ${install}`);
}

async function refuseWithout(
  program: string,
  args: readonly string[],
  what: string,
  run: RunProgram,
): Promise<void> {
  const { code } = await run(program, args);
  if (code === NO_SUCH_PROGRAM) throw refused(`there is no ${program} on this device; ${what}`);
}

function lastLines(output: string): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-OUTPUT_LINES).join(" / ") || "it says nothing";
}

function refused(sentence: string): CommissioningRefused {
  return new CommissioningRefused("nucleus", sentence);
}
