import { basename, dirname } from "node:path";
import { nodeCrypto } from "@coalmine/device/crypto";
import { workFiles } from "@coalmine/device/work-files";
import { inspectLog, type LogKeys, type LogRecord, readLog, repairLog } from "@coalmine/durable-log";
import type { Files } from "@coalmine/ports";
import { systemClock } from "@coalmine/runtime/system-clock";
import { answer, type AnswerName } from "../answers/answers.ts";
import type { CliCommand } from "../command/command.ts";
import { wholeNumber } from "../command/words.ts";
import { exitCodes } from "../exit-codes.ts";
import type { Places } from "../system/state.ts";
import { findQueues, type Queue, QueueError, theQueue } from "./find-queues.ts";
import { folderUsers } from "./folder-users.ts";
import { readKeys } from "./keys.ts";
import { instant, listed, repairTold, type Verified, verify, verifiedTold } from "./verify.ts";

/** Records that `tail` shows unless told otherwise. */
const TAIL_RECORDS = 10;
const TAIL_RECORDS_MAX = 100_000;

interface Options {
  readonly folder?: string;
  readonly json: boolean;
  readonly key: string[];
}

/** `coalmine queue`: what waits on a device, read without opening it; only `repair` writes. */
export function addQueueCommands(program: CliCommand, at: Places): void {
  const queue = program.command("queue").description("what waits on a device to be carried into the lake");
  const verb = (name: string, description: string, answers: AnswerName, how?: "lines"): CliCommand =>
    queue
      .command(name)
      .argument("[thing]", "a process device's name")
      .description(description)
      .example(`queue ${name} core-01`)
      .example(`queue ${name} --folder ./log`)
      .option("--folder <path>", "a queue's folder, instead of a thing's name")
      .option("--key <id=file>", "a key that opens encrypted records; may be repeated", collect, [])
      .answers(answers, how);

  verb("list", "the queues of the process devices here, or one, in short", "queue-list")
    .alias("ls")
    .action(async (thing: string | undefined, { folder, json, key }: Options) => {
      const one = thing !== undefined || folder !== undefined;
      const found: Verified[] = [];
      for (const queue of one ? [theQueue(at, thing, folder)] : findQueues(at))
        found.push(await verified(queue, readKeys(key)));
      if (json)
        answer(
          "queue-list",
          found.map((queue) => listed(queue)),
        );
      else if (found.length === 0)
        console.log("no process device has a queue here; --folder takes any other");
      else for (const queue of found) console.log(inShort(queue));
    });
  verb("verify", "read every byte: what is damaged, what is missing", "queue-verify").action(
    async (thing: string | undefined, { folder, json, key }: Options) => {
      const found = await verified(theQueue(at, thing, folder), readKeys(key));
      if (json) answer("queue-verify", found);
      else console.log(verifiedTold(found));
      if (!found.isSound) process.exitCode = exitCodes.unexpected;
    },
  );
  verb(
    "repair",
    "write the damaged segments of a stopped device anew from their intact records",
    "queue-repair",
  ).action(async (thing: string | undefined, { folder, json, key }: Options) => {
    const queue = theQueue(at, thing, folder);
    needNobody(queue);
    const { files, name } = opened(queue);
    const repaired = await repairLog(files, name, nodeCrypto, readKeys(key));
    if (json) answer("queue-repair", { queue: queue.name, folder: queue.folder, repaired });
    else console.log(repairTold(repaired));
    if (repaired.some(({ problem }) => problem !== undefined)) process.exitCode = exitCodes.unexpected;
  });
  verb("export", "every record that can be read, always as JSON, payloads in base64", "queue-export", "lines")
    .option("--from <number>", "the first record", wholeNumber(0), 1)
    .action(async (thing: string | undefined, { folder, key, from }: Options & { from: number }) => {
      const { files, name } = opened(theQueue(at, thing, folder));
      for await (const { records, gaps } of readLog(files, name, nodeCrypto, { keys: readKeys(key), from })) {
        for (const record of records) answer("queue-export", exported(record));
        // What is missing is no record: it must not be taken for one by whoever reads the lines.
        for (const { first, last, why } of gaps)
          console.error(`${first} to ${last} are missing${why === undefined ? "" : `: ${why}`}`);
      }
    });
  verb("tail", "the newest records", "queue-tail")
    .option("--count <n>", "how many", wholeNumber(1, TAIL_RECORDS_MAX), TAIL_RECORDS)
    .action(async (thing: string | undefined, { folder, key, json, count }: Options & { count: number }) => {
      const { files, name } = opened(theQueue(at, thing, folder));
      let newest: LogRecord[] = [];
      for await (const { records } of readLog(files, name, nodeCrypto, { keys: readKeys(key) }))
        newest = [...newest, ...records].slice(-count);
      if (json) answer("queue-tail", newest.map(exported));
      else
        for (const { sequence, timeMs, payload } of newest)
          console.log(`${sequence}  ${instant(timeMs)}  ${payload.length} bytes`);
    });
}

function collect(word: string, before: string[]): string[] {
  return [...before, word];
}

/** The log is a folder inside what its port takes for the work folder. */
function opened({ folder }: Queue): { files: Files; name: string } {
  return { files: workFiles(dirname(folder), systemClock), name: basename(folder) };
}

async function verified(queue: Queue, keys: LogKeys): Promise<Verified> {
  const users = folderUsers(queue.folder) ?? [];
  const { files, name } = opened(queue);
  return verify(queue, await inspectLog(files, name, nodeCrypto, keys), users);
}

function needNobody({ folder }: Queue): void {
  const users = folderUsers(folder);
  if (users === undefined)
    throw new QueueError(
      "ERR_QUEUE_IN_USE",
      `whether a process has ${folder} open cannot be told here, where there is no /proc: repair it on Linux`,
    );
  if (users.length > 0)
    throw new QueueError(
      "ERR_QUEUE_IN_USE",
      `process ${users.join(" and ")} has ${folder} open: stop the device or its stream-uploader, then repair`,
    );
}

function exported({ sequence, timeMs, payload }: LogRecord) {
  return { sequence, timeMs, payload: Buffer.from(payload).toString("base64") };
}

function inShort(found: Verified): string {
  const { name, records, missing, sizeBytes, oldestMs, isInUse, isSound, cursors } = listed(found);
  const age = oldestMs === undefined ? "" : `, the oldest of ${instant(oldestMs)}`;
  const read = cursors.map(({ name: cursor, done }) => `${cursor} is done with ${done}`).join(", ");
  return `${name}  ${records} records in ${sizeBytes} bytes${age}${missing > 0 ? `, ${missing} missing` : ""}${read === "" ? "" : `; ${read}`}${isInUse ? "; in use" : ""}${isSound ? "" : "; DAMAGED: see `coalmine queue verify`"}`;
}
