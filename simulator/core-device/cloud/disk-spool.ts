import type { Log } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime";
import * as z from "zod";
import { parseJson } from "../json.ts";
import type { DeviceRoot, MessageFields } from "../ports.ts";

const FILE = "work/aws.greengrass.DiskSpooler/spool.log";
/** The file is written anew when it has grown by so much, and holds then what still waits. */
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;

/** A message as it waits. */
export interface Spooled {
  readonly order: number;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly fields?: MessageFields;
}

const Fields: z.ZodType<MessageFields> = z.object({
  retain: z.boolean(),
  payloadFormat: z.enum(["0", "1"]),
  userProperties: z.array(z.object({ key: z.string(), value: z.string() })).exactOptional(),
  messageExpiryIntervalSeconds: z.number().exactOptional(),
  correlationData: z.base64().exactOptional(),
  responseTopic: z.string().exactOptional(),
  contentType: z.string().exactOptional(),
});
const Entry = z.union([
  z.object({
    order: z.int(),
    topic: z.string(),
    payload: z.base64(),
    qos: z.union([z.literal(0), z.literal(1)]),
    fields: Fields.exactOptional(),
  }),
  z.object({ gone: z.int() }),
]);

/**
 * Messages to IoT Core on the device's disk, beside the spooler that sends them: a line for each that was taken, and one
 * for each that has gone. A line counts when it is whole.
 */
export class DiskSpool {
  readonly #root: DeviceRoot;
  readonly #log: Log;
  readonly #live: Set<number>;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;
  #bytes: number;
  #bytesMax: number;

  private constructor(root: DeviceRoot, log: Log, live: Set<number>, bytes: number) {
    this.#root = root;
    this.#log = log;
    this.#live = live;
    this.#bytes = bytes;
    this.#bytesMax = bytes + GROWTH_BYTES_MAX;
  }

  /** What waits on the disk, in order. */
  static async open(
    root: DeviceRoot,
    log: Log,
  ): Promise<{ readonly spool: DiskSpool; readonly messages: readonly Spooled[] }> {
    const text = (await root.readText(FILE)) ?? "";
    const { messages, whole } = replayed(text);
    if (!whole) await root.writeText(FILE, messages.map(lineOf).join(""));
    const live = new Set(messages.map(({ order }) => order));
    return { spool: new DiskSpool(root, log, live, await root.sizeOf(FILE)), messages };
  }

  add(message: Spooled): void {
    this.#live.add(message.order);
    this.#write(lineOf(message));
  }

  remove(order: number): void {
    if (this.#live.delete(order)) this.#write(`${JSON.stringify({ gone: order })}\n`);
  }

  /** Resolves when all that was taken so far is on the disk, or the disk has refused it. */
  async synced(): Promise<void> {
    await this.#writing;
  }

  /** Nothing waits on the disk any more. */
  async discard(): Promise<void> {
    await this.#writing;
    await this.#root.removeTree(FILE);
  }

  #write(line: string): void {
    this.#waiting.push(line);
    this.#writing ??= this.#drain().finally(() => (this.#writing = undefined));
  }

  async #drain(): Promise<void> {
    // Lines of the same turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const text = this.#waiting.join("");
      this.#waiting = [];
      try {
        await this.#root.appendText(FILE, text);
        this.#bytes += Buffer.byteLength(text);
        if (this.#bytes > this.#bytesMax) await this.#compact();
      } catch (failure) {
        // As the nucleus has it: the message waits in memory alone.
        this.#log.warn("messages to IoT Core could not be kept on the disk", { why: messageOf(failure) });
      }
    }
  }

  async #compact(): Promise<void> {
    const { messages } = replayed((await this.#root.readText(FILE)) ?? "");
    await this.#root.writeText(FILE, messages.map(lineOf).join(""));
    this.#bytes = await this.#root.sizeOf(FILE);
    this.#bytesMax = this.#bytes + GROWTH_BYTES_MAX;
  }
}

/** Reads as far as the lines are whole. */
function replayed(text: string): { messages: readonly Spooled[]; whole: boolean } {
  const messages = new Map<number, Spooled>();
  const lines = text.split("\n");
  const tail = lines.pop();
  for (const line of lines) {
    const { data: entry } = Entry.safeParse(parseJson(line));
    if (entry === undefined) return { messages: [...messages.values()], whole: false };
    if ("gone" in entry) messages.delete(entry.gone);
    else messages.set(entry.order, { ...entry, payload: Buffer.from(entry.payload, "base64") });
  }
  return { messages: [...messages.values()], whole: tail === "" };
}

function lineOf({ payload, ...rest }: Spooled): string {
  return `${JSON.stringify({ ...rest, payload: Buffer.from(payload).toString("base64") })}\n`;
}
