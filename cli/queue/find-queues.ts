import { existsSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { CoalmineError } from "@coalmine/runtime";
import { mainJobPlaces, type Places } from "../system/state.ts";

/** Where stream-uploader keeps its durable log below a core device's root. */
const QUEUE_IN_ROOT = "work/coalmine.StreamUploader/log";

export class QueueError extends CoalmineError {
  readonly code: "ERR_QUEUE_NOT_FOUND" | "ERR_QUEUE_IN_USE" | "ERR_QUEUE_KEY";
  constructor(code: QueueError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

export interface Queue {
  /** The thing's name, or the folder's where it was named by its path. */
  readonly name: string;
  readonly folder: string;
}

/** The queues of the process devices of `npm start` and of the main job, by thing name. */
export function findQueues(at: Places): readonly Queue[] {
  return [at, mainJobPlaces(at)].flatMap(({ state }) => {
    const fleet = join(state, "fleet");
    if (!existsSync(fleet)) return [];
    return readdirSync(fleet)
      .sort()
      .map((name) => ({ name, folder: join(fleet, name, "root", QUEUE_IN_ROOT) }))
      .filter(({ folder }) => existsSync(folder));
  });
}

/** The one queue that is meant: a folder, or a thing's. */
export function theQueue(at: Places, thing: string | undefined, folder: string | undefined): Queue {
  if (folder !== undefined) {
    const absolute = resolve(folder);
    if (!existsSync(absolute))
      throw new QueueError(
        "ERR_QUEUE_NOT_FOUND",
        `there is no folder ${absolute}; a queue is a device's ${QUEUE_IN_ROOT}`,
      );
    return { name: basename(absolute), folder: absolute };
  }
  const all = findQueues(at);
  const found = all.find(({ name }) => name === thing);
  if (found !== undefined) return found;
  const known = all.map(({ name }) => name).join(", ");
  throw new QueueError(
    "ERR_QUEUE_NOT_FOUND",
    thing === undefined
      ? `name a thing or give --folder; things with a queue here: ${known === "" ? "none" : known}`
      : `no process device "${thing}" has a queue here; those that have: ${known === "" ? "none" : known}; --folder takes any other`,
  );
}
