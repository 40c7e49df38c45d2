import { invariant } from "@coalmine/runtime";
import { crc32 } from "@coalmine/runtime/crc32";
import { zlibSync } from "fflate";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const METRE_INCHES = 1 / 0.0254;

/** Black and white, a bit a dot. */
export class Dots {
  readonly width: number;
  readonly height: number;
  readonly #bytesPerRow: number;
  readonly #bits: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    // Each row begins with its filter: none.
    this.#bytesPerRow = 1 + Math.ceil(width / 8);
    this.#bits = new Uint8Array(this.#bytesPerRow * height).fill(0xff);
    for (let y = 0; y < height; y++) this.#bits[y * this.#bytesPerRow] = 0;
  }

  /** Makes a rectangle black. */
  fill(x: number, y: number, width: number, height: number): void {
    const isInside = x >= 0 && y >= 0 && x + width <= this.width && y + height <= this.height;
    invariant(isInside, `${x},${y} and ${width} × ${height} dots leave the picture`);
    for (let row = y; row < y + height; row++)
      for (let column = x; column < x + width; column++) {
        const index = row * this.#bytesPerRow + 1 + (column >> 3);
        this.#bits[index] = (this.#bits[index] ?? 0) & ~(0x80 >> (column & 7));
      }
  }

  get rows(): Uint8Array {
    return this.#bits;
  }
}

/**
 * Grey of one bit, with its resolution. Compressed in JavaScript, since zlib's bytes differ from processor to processor.
 * @see https://www.w3.org/TR/png-3/
 */
export function writePng(dots: Dots, dpi: number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(dots.width, 0);
  header.writeUInt32BE(dots.height, 4);
  // Bit depth; the other four say grey, deflate, its only filters, not interlaced, all 0.
  header[8] = 1;
  const resolution = Buffer.alloc(9);
  const dotsPerMetre = Math.round(dpi * METRE_INCHES);
  resolution.writeUInt32BE(dotsPerMetre, 0);
  resolution.writeUInt32BE(dotsPerMetre, 4);
  resolution[8] = 1;
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("pHYs", resolution),
    chunk("IDAT", zlibSync(dots.rows, { level: 9 })),
    chunk("IEND", new Uint8Array()),
  ]);
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const named = Buffer.concat([Buffer.from(type, "ascii"), body]);
  const whole = Buffer.alloc(named.length + 8);
  whole.writeUInt32BE(body.length, 0);
  named.copy(whole, 4);
  whole.writeUInt32BE(crc32(named), named.length + 4);
  return whole;
}
