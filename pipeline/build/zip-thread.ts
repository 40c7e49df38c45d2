import { parentPort, workerData } from "node:worker_threads";
import * as z from "zod";
import { writeZip } from "./write-zip.ts";

/** Writes one zip in a thread: entries come as `workerData`, the zip goes as the one message. */
const Entries = z.array(
  z.object({ name: z.string(), bytes: z.instanceof(Uint8Array), executable: z.boolean().default(false) }),
);

parentPort?.postMessage(await writeZip(Entries.parse(workerData)), []);
