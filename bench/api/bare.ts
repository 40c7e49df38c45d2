import { createServer } from "node:http";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import * as z from "zod";
import { machineDisk } from "../../simulator/cloud/store/disk.ts";

/**
 * The limit: `node bare.ts FOLDER ANSWERS`. A bare `node:http` server that gives the cloud's own answers by the start of
 * the request, and appends so many bytes for each that is durable, all that wait by one synced write. It checks nothing,
 * reads nothing and keeps nothing. Says its port.
 */
const Answers = z.record(
  z.string(),
  z.object({ status: z.number(), body: z.string(), durable: z.boolean() }),
);
export type Answers = z.infer<typeof Answers>;
/** About what a write of the mix adds to the cloud's log. */
const RECORD = Buffer.alloc(400, "r");

/** What tells the ten kinds of request apart, from a request's bytes. */
export function kindOf(request: Buffer): string {
  const head = request.toString("latin1", 0, request.indexOf("\r\n\r\n"));
  const [method = "", url = ""] = head.split(" ");
  return kind(method, url, /\r\nx-amz-target: (\S+)/i.exec(head)?.[1]);
}

function kind(method: string, url: string, target: string | undefined): string {
  return target ?? `${method} ${url.replaceAll(/\d+/g, "#")}`;
}

async function serve(folder: string, given: string): Promise<void> {
  const answers = new Map(Object.entries(Answers.parse(JSON.parse(given))));
  const path = join(folder, "bare");
  writeFileSync(path, "");
  const file = await machineDisk.openToAppend(path);
  let waiting = 0;
  let flushing: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  const flush = async (): Promise<void> => {
    await flushing;
    next = undefined;
    const records = Array.from({ length: waiting }, () => RECORD);
    waiting = 0;
    flushing = file.append(Buffer.concat(records));
    await flushing;
  };
  const durable = (): Promise<void> => {
    waiting++;
    next ??= flush();
    return next;
  };
  const server = createServer((incoming, outgoing) => {
    const { method = "", url = "", headers } = incoming;
    const target = headers["x-amz-target"];
    const answer = answers.get(kind(method, url, typeof target === "string" ? target : undefined));
    const say = (): void => {
      const body = Buffer.from(answer?.body ?? "", "base64");
      outgoing.writeHead(answer?.status ?? 404, { "content-length": body.length }).end(body);
    };
    incoming.resume().on("end", () => {
      if (answer?.durable === true) void durable().then(say);
      else say();
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    console.log(typeof address === "object" && address !== null ? address.port : 0);
  });
}

const [folder, given] = process.argv.slice(2);
if (import.meta.main && folder !== undefined && given !== undefined) await serve(folder, given);
