import { Gunzip } from "fflate";
import { type Decoder, Undecodable } from "./decoder.ts";

/** gzip, members one after the other. Its check sums are not looked at. */
export class GzipDecoder implements Decoder {
  readonly #made: Uint8Array[] = [];
  readonly #gunzip = new Gunzip((bytes) => void this.#made.push(bytes));

  push(bytes: Uint8Array, isLast: boolean): void {
    try {
      this.#gunzip.push(bytes, isLast);
    } catch (cause) {
      throw new Undecodable("the gzip file ends too soon or is damaged", { cause });
    }
  }

  take(): Uint8Array | undefined {
    return this.#made.shift();
  }
}
