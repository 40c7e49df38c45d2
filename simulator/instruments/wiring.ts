import type { Clock, Link, Random } from "@coalmine/ports";
import type { Attachable } from "./hosted-links.ts";
import { type Character, overLine, rightWires, type Wires } from "./uart.ts";

/** How an instrument is wired, wrongly where that is to be found out. */
export interface Wiring {
  /** What the instrument sends and expects. */
  readonly own: Character;
  readonly random: Random;
  readonly wires?: Wires;
  /** With one, bytes take the time that they take at their rate. */
  readonly clock?: Clock;
}

/** An instrument whose bytes go over a modelled line between two UARTs, both ways. */
export function wired(
  instrument: Attachable,
  { own, random, wires = rightWires, clock }: Wiring,
): Attachable {
  return {
    id: instrument.id,
    attach(link, host = () => own) {
      const carry = async (bytes: Uint8Array, direction: "in" | "out"): Promise<Uint8Array> => {
        const its = { ...own, ...(await host()) };
        const [from, to] = direction === "in" ? [its, own] : [own, its];
        await clock?.sleep((10_000 * bytes.length) / from.baudRate);
        return overLine(bytes, from, to, wires, random);
      };
      let outward: Promise<void> = Promise.resolve();
      let inward: Promise<void> = Promise.resolve();
      const far: Link = {
        write(bytes) {
          const written = outward.then(async () => {
            const heard = await carry(bytes, "out");
            if (heard.length > 0) await link.write(heard);
          });
          outward = written.catch(() => undefined);
          return written;
        },
        onData: (receive) =>
          link.onData((bytes) => {
            const copy = bytes.slice();
            inward = inward.then(async () => {
              const heard = await carry(copy, "in");
              if (heard.length > 0) receive(heard);
            });
          }),
        onClose: (closed) => link.onClose(closed),
        close: () => link.close(),
      };
      instrument.attach(far);
      // A break that was there before the port was opened is read as one zero.
      if (wires.idle === "space") void link.write(Uint8Array.of(0)).catch(() => undefined);
    },
  };
}

/** A port with nothing behind it, or an instrument without power: it takes bytes and says nothing. */
export function mute(id: string): Attachable {
  return { id, attach: (link) => link.onData(() => undefined) };
}

/** An adapter that hears what it sends, as one on two wires does, with nobody at the far end. */
export function echoing(id: string): Attachable {
  return {
    id,
    attach: (link) => link.onData((bytes) => void link.write(bytes).catch(() => undefined)),
  };
}
