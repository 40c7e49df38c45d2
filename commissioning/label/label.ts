import { ThingName } from "@coalmine/contract";
import * as z from "zod";
import { CommissioningRefused } from "../refusal.ts";
import { ShortCode } from "./short-code.ts";

/** What a QR code of 57 modules holds, which a label of this size has room for. */
const QR_BYTES_MAX = 200;
const line = z.string().regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, "one line of text is needed");

/** What is glued to the device. Nothing of it is a secret: everybody can read a label. */
export const Label = z.strictObject({
  thing: ThingName,
  serial: line.max(128),
  site: line.max(128),
  room: line.max(64).optional(),
  asset: line.max(64).optional(),
  /** For a note on paper where there is no printer. */
  code: ShortCode,
  /** What a phone reads: mostly an address. */
  qrText: line.refine((text) => Buffer.byteLength(text) <= QR_BYTES_MAX, `at most ${QR_BYTES_MAX} bytes`),
});
export type Label = z.infer<typeof Label>;

export function makeLabel(of: z.input<typeof Label>): Label {
  const read = Label.safeParse(of);
  if (read.success) return read.data;
  throw new CommissioningRefused(
    "settings",
    `no label can be made: ${z.prettifyError(read.error)}; correct the device's settings and run this again`,
  );
}
