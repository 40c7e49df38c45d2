import type { Crypto, File, Files } from "@coalmine/ports";

/** Each slot has sectors of its own, so that tearing one write leaves the other slot whole. */
const SLOT_BYTES = 4096;
/** `crc u32, length u32, generation f64`. */
const SLOT_HEADER_BYTES = 16;
export const SLOT_CONTENT_BYTES_MAX = SLOT_BYTES - SLOT_HEADER_BYTES;

/**
 * A small value in a file of two slots. Saving writes the older slot and syncs; loading takes the newest slot whose
 * CRC fits. So a value is the old or the new one after any crash, never a mixture.
 */
export class Slots {
  readonly #file: File;
  readonly #crypto: Pick<Crypto, "crc32">;
  #generation: number;
  #value: Uint8Array | undefined;

  private constructor(
    file: File,
    crypto: Pick<Crypto, "crc32">,
    newest: { generation: number; value: Uint8Array } | undefined,
  ) {
    this.#file = file;
    this.#crypto = crypto;
    this.#generation = newest?.generation ?? 0;
    this.#value = newest?.value;
  }

  static async open(files: Files, folder: string, name: string, crypto: Crypto): Promise<Slots> {
    const file = await files.open(`${folder}/${name}`, "create");
    // Its room is taken now, so that saving works on a full disk.
    const sizeBytes = await file.size();
    if (sizeBytes < 2 * SLOT_BYTES) {
      await file.write(sizeBytes, new Uint8Array(2 * SLOT_BYTES - sizeBytes));
      await file.sync();
    }
    await files.syncFolder(folder);
    return new Slots(file, crypto, newest(await file.read(0, 2 * SLOT_BYTES), crypto));
  }

  /** What was saved last, or undefined where nothing was, or nothing of it is intact. */
  get value(): Uint8Array | undefined {
    return this.#value;
  }

  /** The value is durable when this resolves. After a rejection it is the old or the new one. */
  async save(value: Uint8Array): Promise<void> {
    const generation = this.#generation + 1;
    const bytes = new Uint8Array(SLOT_HEADER_BYTES + value.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(4, value.length, true);
    view.setFloat64(8, generation, true);
    bytes.set(value, SLOT_HEADER_BYTES);
    view.setUint32(0, this.#crypto.crc32(bytes.subarray(4)), true);
    await this.#file.write((generation % 2) * SLOT_BYTES, bytes);
    await this.#file.sync();
    this.#generation = generation;
    this.#value = value;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** What a file of slots holds, or undefined where nothing of it is intact. Reads only. */
export async function readSlots(
  files: Pick<Files, "open">,
  path: string,
  crypto: Pick<Crypto, "crc32">,
): Promise<Uint8Array | undefined> {
  const file = await files.open(path, "read");
  const bytes = await file.read(0, 2 * SLOT_BYTES).finally(() => file.close());
  return newest(bytes, crypto)?.value;
}

function newest(
  bytes: Uint8Array,
  crypto: Pick<Crypto, "crc32">,
): { generation: number; value: Uint8Array } | undefined {
  const slots = [0, SLOT_BYTES].flatMap((offset) => {
    if (offset + SLOT_HEADER_BYTES > bytes.length) return [];
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
    const end = offset + SLOT_HEADER_BYTES + view.getUint32(4, true);
    if (end > Math.min(bytes.length, offset + SLOT_BYTES)) return [];
    if (crypto.crc32(bytes.subarray(offset + 4, end)) !== view.getUint32(0, true)) return [];
    return [
      {
        generation: view.getFloat64(8, true),
        value: new Uint8Array(bytes.subarray(offset + SLOT_HEADER_BYTES, end)),
      },
    ];
  });
  return slots.sort((a, b) => b.generation - a.generation)[0];
}
