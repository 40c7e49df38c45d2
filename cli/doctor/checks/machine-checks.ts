import { existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { findRunning, type Places } from "../../system/state.ts";
import { bad, type Check, fine, type Found, unseen } from "../check.ts";

/** Packages, cache, bundles and a fleet's state take about half of it. */
const FREE_BYTES_MIN = 4 * 1024 ** 3;
const NODE_MAJOR = 24;

export interface Machine {
  readonly at: Places;
  readonly nodeVersion: string;
  readonly freeBytesMin: number;
}

export function machineOf(at: Places): Machine {
  return { at, nodeVersion: process.versions.node, freeBytesMin: FREE_BYTES_MIN };
}

const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      optional: z.boolean().optional(),
      link: z.boolean().optional(),
    }),
  ),
});
const Ports = z.record(z.string(), z.int());

/** What this machine has to have, for a local system as for publishing. */
export const machineChecks: readonly Check<Machine>[] = [
  {
    name: "Node",
    why: "another major version runs the sources differently, or not at all: types are stripped while they are loaded",
    look: async ({ nodeVersion }): Promise<Found> =>
      Number(nodeVersion.split(".")[0]) === NODE_MAJOR
        ? fine(`Node ${nodeVersion}`)
        : bad(
            `this is Node ${nodeVersion}, and ${NODE_MAJOR} is needed`,
            "run by npm or by npx, which take the Node that `npm ci` brought; on another platform install Node 24",
          ),
  },
  {
    name: "packages",
    why: "what is installed and what the lockfile says are compared by nobody later: a bundle of other packages is another artifact",
    look: async ({ at }): Promise<Found> => {
      const wanted = readLock(join(at.root, "package-lock.json"));
      const installed = readLock(join(at.root, "node_modules/.package-lock.json"));
      if (wanted === undefined)
        return bad(`there is no lockfile in ${at.root}`, "clone again: it belongs to the repository");
      if (installed === undefined)
        return bad(
          `nothing is installed in ${at.root}`,
          "run `npm ci`; where there is no registry, copy node_modules from a machine with the same lockfile",
        );
      const wrong = Object.entries(wanted.packages)
        .filter(
          ([path, { optional, link }]) =>
            path.startsWith("node_modules/") && optional !== true && link !== true,
        )
        .filter(([path, { version }]) => installed.packages[path]?.version !== version)
        .map(([path]) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length));
      return wrong.length > 0
        ? bad(
            `${wrong.length} packages are not as the lockfile has them: ${wrong.slice(0, 5).join(", ")}`,
            "run `npm ci`",
          )
        : fine(`${Object.keys(installed.packages).length} packages, as the lockfile has them`);
    },
  },
  {
    name: "room on the disk",
    why: "a build that runs out of space fails with whatever file it was at, and a local cloud refuses to write",
    look: async ({ at, freeBytesMin }): Promise<Found> => {
      const folder = existsSync(at.base) ? at.base : dirname(at.base);
      const { bavail, bsize } = await statfs(folder);
      const free = (bavail * bsize) / 1024 ** 3;
      const need = freeBytesMin / 1024 ** 3;
      return free < need
        ? bad(
            `${free.toFixed(1)} GiB are free at ${folder}, and ${need.toFixed(0)} are needed`,
            "free some, or set COALMINE_STATE to a folder elsewhere; `coalmine down --forget` removes old state",
          )
        : fine(`${free.toFixed(1)} GiB are free at ${folder}`);
    },
  },
  {
    name: "ports",
    why: "devices know the ports of their cloud: where another program has one, they look for it for ever",
    look: async ({ at }): Promise<Found> => {
      if (findRunning(at) !== undefined) return fine("the system that runs here has its ports");
      const file = join(at.state, "ports.json");
      if (!existsSync(file))
        return (await taken(0)) === undefined
          ? fine("this machine gives ports on loopback")
          : unseen("no port can be had on loopback", "look at the machine's firewall");
      const ports = Ports.safeParse(JSON.parse(readFileSync(file, "utf8")));
      if (!ports.success) return bad(`${file} cannot be read`, "remove the state: `coalmine down --forget`");
      const used: string[] = [];
      for (const [name, port] of Object.entries(ports.data)) {
        const why = await taken(port);
        if (why !== undefined) used.push(`${port} (${name}): ${why}`);
      }
      return used.length > 0
        ? bad(
            `ports that the devices of ${at.state} know are taken: ${used.join(", ")}`,
            "end the program that has them, or begin anew: `coalmine down --forget`",
          )
        : fine(`${Object.values(ports.data).join(", ")} are free`);
    },
  },
];

function readLock(file: string): z.infer<typeof Lock> | undefined {
  return existsSync(file) ? Lock.parse(JSON.parse(readFileSync(file, "utf8"))) : undefined;
}

/** Why nobody can listen there, or undefined. */
function taken(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (failure) => resolve(messageOf(failure)));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(undefined)));
  });
}
