import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { SystemUser } from "../ports.ts";

/**
 * A user of this machine by `user` or `user:group`, names or numbers. Without a group it is the user's own; a number
 * without a name is taken as it is, as the nucleus takes it.
 */
export async function systemUser(posixUser: string): Promise<SystemUser> {
  const [user = "", group] = posixUser.split(":");
  const entry = await entryOf("passwd", user);
  const isNumber = /^\d+$/.test(user);
  if (entry === undefined && !isNumber)
    throw new Error(`this device has no user ${user}; create it, or correct posixUser`);
  const [name = "", , userId = user, ownGroup = user, , home = "/"] = entry ?? [];
  return { posixUser, userId: Number(userId), groupId: await groupId(group, Number(ownGroup)), name, home };
}

async function groupId(group: string | undefined, own: number): Promise<number> {
  if (group === undefined || group === "") return own;
  const entry = await entryOf("group", group);
  if (entry !== undefined) return Number(entry[2]);
  if (/^\d+$/.test(group)) return Number(group);
  throw new Error(`this device has no group ${group}; create it, or correct posixUser`);
}

/** The fields of the system's own record; undefined where it has none. */
async function entryOf(database: "passwd" | "group", key: string): Promise<readonly string[] | undefined> {
  try {
    const { stdout } = await promisify(execFile)("getent", [database, key]);
    return stdout.trim().split(":");
  } catch (failure) {
    // 2: the key is not there.
    if (failure instanceof Error && "code" in failure && failure.code === 2) return undefined;
    throw failure;
  }
}
