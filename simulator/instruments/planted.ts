import type { Clock, Random } from "@coalmine/ports";
import * as z from "zod";
import type { Attachable } from "./hosted-links.ts";
import type { Rheometer } from "./rheometer.ts";
import { mute, wired } from "./wiring.ts";

/** The rate that an instrument of the framed protocol has by itself. */
const BAUD_RATE = 115_200;

/** What can be wrong with an instrument that is served; of the sensor's, three times what a self-test allows. */
export const Fault = z.union([
  z.enum(["swapped", "swapped-driven", "silent", "noise", "drift", "residue"]),
  /** As `baud-9600`: what it is set to. */
  z.string().regex(/^baud-\d{3,7}$/),
]);
export type Fault = z.infer<typeof Fault>;

/** `id=fault,…`: several instruments, each with one. */
export const Faults = z.string().transform((text, context) => {
  const faults = new Map<string, Fault>();
  for (const part of text.split(",").filter((each) => each !== "")) {
    const [id = "", name = ""] = part.split("=");
    const fault = Fault.safeParse(name);
    if (fault.success) faults.set(id, fault.data);
    else
      context.addIssue({
        code: "custom",
        message: `"${part}" plants no fault; write ID=swapped, swapped-driven, silent, noise, drift, residue or baud-9600`,
      });
  }
  return faults;
});

/** The instrument with its fault, as it is to be served. */
export function planted(
  instrument: Attachable,
  source: Rheometer,
  fault: Fault | undefined,
  { random, clock }: { readonly random: Random; readonly clock: Clock },
): Attachable {
  const own = { baudRate: fault?.startsWith("baud-") === true ? Number(fault.slice(5)) : BAUD_RATE };
  const over = { own, random, clock };
  switch (fault) {
    case undefined:
      return instrument;
    case "silent":
      return mute(instrument.id);
    case "swapped":
      return wired(instrument, { ...over, wires: { swapped: true, idle: "mark" } });
    case "swapped-driven":
      return wired(instrument, { ...over, wires: { swapped: true, idle: "space" } });
    case "noise":
      source.emptyFault = { ...source.emptyFault, noisePa: 0.03 };
      return instrument;
    case "drift":
      source.emptyFault = { ...source.emptyFault, driftPaPerMinute: 0.15 };
      return instrument;
    case "residue":
      source.emptyFault = { ...source.emptyFault, residuePa: 0.15 };
      return instrument;
    default:
      return wired(instrument, over);
  }
}
