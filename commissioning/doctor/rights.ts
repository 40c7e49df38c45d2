import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import type { Account } from "./account.ts";
import { failed, type Finding, notChecked, ok } from "./finding.ts";

/** What a component needs of a device beside its own folders, as its `package.json` states it (`coalmine.rights`). */
export const Right = z.enum(["serialPorts", "logFolder"]);
export type Right = z.infer<typeof Right>;

export interface ComponentRights {
  readonly component: string;
  readonly rights: readonly Right[];
}

export interface RightsPlaces {
  readonly logs: string;
  /** Each holds names that lead to serial ports. */
  readonly serialFolders: readonly string[];
}

/** Whether the account may do what each component needs. */
export async function rightsOf(
  needed: readonly ComponentRights[],
  account: Account,
  places: RightsPlaces,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { component, rights } of needed)
    for (const right of rights)
      findings.push(
        right === "serialPorts"
          ? await mayUsePorts(component, account, places.serialFolders)
          : await mayReadLogs(component, account, places.logs),
      );
  return findings;
}

async function mayUsePorts(
  component: string,
  account: Account,
  folders: readonly string[],
): Promise<Finding> {
  const check = `${component} may open serial ports`;
  const ports = (await Promise.all(folders.map(pathsIn))).flat();
  if (ports.length === 0)
    return notChecked(
      check,
      `no port is listed in ${folders.join(", ")}`,
      "plug the instrument in and ask again",
    );
  for (const port of ports) {
    const read = await account.may("read", port);
    const write = await account.may("write", port);
    if (read === false || write === false)
      return failed(
        check,
        "permission",
        `${account.user} has no right to read and write ${port}`,
        `\`usermod -aG dialout ${account.user}\` (the group that owns the port: \`ls -lL ${port}\`), then restart Greengrass`,
      );
    if (read === undefined || write === undefined) return onlyRootCanTell(check, account);
  }
  return ok(check, `${account.user} may read and write ${ports.join(", ")}`);
}

async function mayReadLogs(component: string, account: Account, folder: string): Promise<Finding> {
  const check = `${component} may read the log folder`;
  const may = [await account.may("enter", folder), await account.may("read", folder)];
  let files: string[] = [];
  try {
    files = (await pathsIn(folder)).filter((path) => path.endsWith(".log"));
  } catch (failure) {
    return notChecked(check, `${folder} cannot be listed: ${messageOf(failure)}`, "run this as root");
  }
  for (const file of files) if (!may.includes(false)) may.push(await account.may("read", file));
  if (may.includes(false))
    return failed(
      check,
      "permission",
      `${account.user} has no right to read ${folder} and its ${files.length} log files`,
      `\`setfacl -R -m u:${account.user}:rX -d -m u:${account.user}:rX ${folder}\`: new files get the right with it`,
    );
  if (may.includes(undefined)) return onlyRootCanTell(check, account);
  return ok(check, `${account.user} may read ${folder} and its ${files.length} log files`);
}

function onlyRootCanTell(check: string, { user }: Account): Finding {
  return notChecked(check, `only ${user} or root can tell`, "run this as root");
}

/** A folder that is not there holds nothing; one that must not be listed is an error. */
async function pathsIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).map((name) => join(folder, name)).sort();
  } catch (failure) {
    if (failure instanceof Error && "code" in failure && failure.code === "ENOENT") return [];
    throw failure;
  }
}
