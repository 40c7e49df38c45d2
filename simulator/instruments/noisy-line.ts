import type { Link } from "@coalmine/ports";
import type { SeededRandom } from "@coalmine/runtime/seeded-random";
import type { Attachable } from "./hosted-links.ts";

/** What a line does to bytes: probabilities, of a bit or of a write. */
export interface Noise {
  readonly flipPerBit: number;
  readonly dropPerByte: number;
  /** Random bytes before what is written. */
  readonly garbagePerWrite: number;
  /** The text of a boot loader before what is written. */
  readonly bootTextPerWrite: number;
  /** Every byte on its own. */
  readonly splitPerWrite: number;
}

const BOOT_TEXT =
  "ets Jul 29 2019 12:21:46\r\nrst:0x7 (TG0WDT_SYS_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n";

/** An instrument whose line is noisy from it to the host; `noise` is asked at each write. */
export function noisy(instrument: Attachable, random: SeededRandom, noise: () => Noise): Attachable {
  return {
    id: instrument.id,
    attach: (link) => instrument.attach(noisyLink(link, random, noise)),
  };
}

function noisyLink(link: Link, random: SeededRandom, noise: () => Noise): Link {
  return {
    onData: (receive) => link.onData(receive),
    onClose: (closed) => link.onClose(closed),
    close: () => link.close(),
    async write(bytes) {
      const { splitPerWrite } = noise();
      const sent = mangled(bytes, random, noise());
      if (random.next() >= splitPerWrite) return link.write(sent);
      for (let at = 0; at < sent.length; at++) await link.write(sent.subarray(at, at + 1));
    },
  };
}

/** The bytes as they come out of a noisy line. */
export function mangled(bytes: Uint8Array, random: SeededRandom, noise: Noise): Uint8Array {
  const out: number[] = [];
  if (random.next() < noise.garbagePerWrite)
    for (let more = 1 + random.below(100); more > 0; more--) out.push(random.below(256));
  if (random.next() < noise.bootTextPerWrite) out.push(...new TextEncoder().encode(BOOT_TEXT));
  // Not a draw a bit: the distance to the next flip is geometric.
  const distance = () =>
    noise.flipPerBit === 0
      ? Infinity
      : Math.floor(Math.log(1 - random.next()) / Math.log(1 - noise.flipPerBit));
  let flipIn = distance();
  for (const byte of bytes) {
    let value = byte;
    for (; flipIn < 8; flipIn += 1 + distance()) value ^= 1 << flipIn;
    flipIn -= 8;
    if (random.next() >= noise.dropPerByte) out.push(value);
  }
  return Uint8Array.from(out);
}
