import type { Crypto } from "@coalmine/ports";

/** Names a key in headers and frames: 1 to 65,535. */
export type KeyId = number;
export const KEY_ID_MAX = 65_535;
export const TAG_BYTES = 16;
const KEY_BYTES = 32;
const DOMAIN = new TextEncoder().encode("coalmine durable log 1\0");

/** What encrypts new segments, and what opens old ones. A key that is rotated out stays here while its segments do. */
export interface LogKeys {
  /** The key of new segments; without one they are written in the clear. */
  readonly current?: KeyId;
  /** AES-256 keys of 32 bytes. */
  readonly known: ReadonlyMap<KeyId, Uint8Array>;
}

/** A frame's place and the words of its header that say how it is encrypted. */
export interface SealedFrame {
  readonly keyId: KeyId;
  readonly salt: number;
  /** Of the frame in its segment. */
  readonly position: number;
  /** The frame's header behind its CRC: authenticated, not encrypted. */
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
}

/** The payload, or the sentence that says why it cannot be read. */
export type Opener = (frame: SealedFrame) => Uint8Array | string;

/**
 * AES-256-GCM for the frames of one segment. The segment's own key follows from the key, the epoch and the first
 * number, so that a damaged header costs no record; position and salt make the nonce, and no position of a segment
 * is written twice.
 */
export class SegmentCipher {
  readonly keyId: KeyId;
  /** Tells a segment from one of the same name that it replaces, whose records were never acknowledged. */
  readonly salt: number;
  readonly #crypto: Crypto;
  readonly #key: Uint8Array;

  constructor(crypto: Crypto, keyId: KeyId, key: Uint8Array, epoch: string, first: number) {
    this.keyId = keyId;
    this.salt = new DataView(crypto.randomBytes(4).buffer).getUint32(0, true);
    this.#crypto = crypto;
    this.#key = segmentKey(crypto, key, epoch, first);
  }

  seal(position: number, header: Uint8Array, plain: Uint8Array): Uint8Array {
    return this.#crypto.aes256GcmEncrypt(this.#key, nonce(position, this.salt), plain, header);
  }
}

/** The cipher of a new segment, or undefined where segments are written in the clear. */
export function newCipher(
  keys: LogKeys | undefined,
  crypto: Crypto,
  epoch: string,
  first: number,
): SegmentCipher | undefined {
  if (keys?.current === undefined) return undefined;
  const key = keys.known.get(keys.current);
  const isId = Number.isInteger(keys.current) && keys.current >= 1 && keys.current <= KEY_ID_MAX;
  if (!isId || key?.length !== KEY_BYTES)
    throw new RangeError(
      `key ${keys.current} cannot encrypt the log: ids are 1 to ${KEY_ID_MAX}, and a key is ${KEY_BYTES} bytes, not ${key?.length ?? 0}`,
    );
  return new SegmentCipher(crypto, keys.current, key, epoch, first);
}

/** Opens the frames of the segment that begins with number `first`. */
export function opener(keys: LogKeys | undefined, crypto: Crypto, epoch: string, first: number): Opener {
  const derived = new Map<KeyId, Uint8Array>();
  return ({ keyId, salt, position, header, payload }) => {
    const key = keys?.known.get(keyId);
    if (key === undefined)
      return `encrypted with key ${keyId}, which is not known here: hand it in to read these records`;
    const own = derived.get(keyId) ?? segmentKey(crypto, key, epoch, first);
    derived.set(keyId, own);
    try {
      return crypto.aes256GcmDecrypt(own, nonce(position, salt), payload, header);
    } catch {
      return `encrypted with another key than the one known as key ${keyId}: hand in the right one`;
    }
  };
}

function segmentKey(crypto: Crypto, key: Uint8Array, epoch: string, first: number): Uint8Array {
  const name = new TextEncoder().encode(`${epoch}/${first}`);
  const bytes = new Uint8Array(DOMAIN.length + key.length + name.length);
  bytes.set(DOMAIN);
  bytes.set(key, DOMAIN.length);
  bytes.set(name, DOMAIN.length + key.length);
  return crypto.sha256(bytes);
}

function nonce(position: number, salt: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, salt, true);
  view.setFloat64(4, position, true);
  return bytes;
}
