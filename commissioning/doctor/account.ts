import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants, readFile, stat } from "node:fs/promises";
import { userInfo } from "node:os";

/** Who components run as. */
export interface Account {
  readonly user: string;
  /** Whether that user may, by mode, groups and access lists; undefined where only that user, or root, could tell. */
  may(right: "read" | "write" | "enter", path: string): Promise<boolean | undefined>;
}

const flags = { read: "-r", write: "-w", enter: "-x" } as const;
const modes = { read: constants.R_OK, write: constants.W_OK, enter: constants.X_OK } as const;

/** The account of this name: tried by itself, or by root in its place, since modes alone do not tell of access lists. */
export function accountOf(user: string): Account {
  const own = userInfo();
  return {
    user,
    async may(right, path) {
      if (user === own.username)
        return access(path, modes[right]).then(
          () => true,
          () => false,
        );
      if (own.uid !== 0) return undefined;
      const child = spawn("runuser", ["-u", user, "--", "test", flags[right], path], { stdio: "ignore" });
      const [code]: unknown[] = await once(child, "close").catch(() => [undefined]);
      return code === 0 ? true : code === 1 ? false : undefined;
    },
  };
}

/** The name of whoever owns a folder: without another setting the core device runs components as itself. */
export async function ownerOf(path: string): Promise<string | undefined> {
  const { uid } = await stat(path);
  const accounts = await readFile("/etc/passwd", "utf8").catch(() => "");
  return accounts
    .split("\n")
    .map((line) => line.split(":"))
    .find((fields) => fields[2] === String(uid))?.[0];
}
