import * as z from "zod";

/** How a number lies in registers. `bit` is a coil or a discrete input. */
export const RegisterType = z.enum(["bit", "u16", "i16", "u32", "i32", "f32", "f64"]);
export type RegisterType = z.infer<typeof RegisterType>;

/**
 * The order of its bytes, of a number 0xAABBCCDD: as the specification has it (`abcd`), registers swapped (`cdab`),
 * bytes within each register swapped (`badc`), or all of it reversed (`dcba`).
 */
export const RegisterOrder = z.enum(["abcd", "cdab", "badc", "dcba"]);
export type RegisterOrder = z.infer<typeof RegisterOrder>;

/** Registers (bits for `bit`) that a number takes. */
export const typeSize: Readonly<Record<RegisterType, number>> = {
  bit: 1,
  u16: 1,
  i16: 1,
  u32: 2,
  i32: 2,
  f32: 2,
  f64: 4,
};

/** The number at `offset` (in registers, or bits for `bit`) of a reply's data. */
export function readNumber(
  data: Uint8Array,
  offset: number,
  type: RegisterType,
  order: RegisterOrder,
): number {
  if (type === "bit") return ((data[offset >> 3] ?? 0) >> (offset & 7)) & 1;
  const bytes = data.slice(2 * offset, 2 * (offset + typeSize[type]));
  if (order === "cdab" || order === "dcba") swapRegisters(bytes);
  if (order === "badc" || order === "dcba") swapBytes(bytes);
  return read[type](new DataView(bytes.buffer));
}

const read: Readonly<Record<Exclude<RegisterType, "bit">, (view: DataView) => number>> = {
  u16: (view) => view.getUint16(0),
  i16: (view) => view.getInt16(0),
  u32: (view) => view.getUint32(0),
  i32: (view) => view.getInt32(0),
  f32: (view) => view.getFloat32(0),
  f64: (view) => view.getFloat64(0),
};

/** The bytes of a number, as a slave has them in its registers. */
export function writeNumber(
  value: number,
  type: Exclude<RegisterType, "bit">,
  order: RegisterOrder,
): Uint8Array {
  const bytes = new Uint8Array(2 * typeSize[type]);
  const view = new DataView(bytes.buffer);
  if (type === "u16") view.setUint16(0, value);
  else if (type === "i16") view.setInt16(0, value);
  else if (type === "u32") view.setUint32(0, value);
  else if (type === "i32") view.setInt32(0, value);
  else if (type === "f32") view.setFloat32(0, value);
  else view.setFloat64(0, value);
  if (order === "badc" || order === "dcba") swapBytes(bytes);
  if (order === "cdab" || order === "dcba") swapRegisters(bytes);
  return bytes;
}

function swapBytes(bytes: Uint8Array): void {
  for (let at = 0; at + 1 < bytes.length; at += 2)
    [bytes[at], bytes[at + 1]] = [bytes[at + 1] ?? 0, bytes[at] ?? 0];
}

function swapRegisters(bytes: Uint8Array): void {
  const swapped = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 2) swapped.set(bytes.subarray(at, at + 2), bytes.length - 2 - at);
  bytes.set(swapped);
}
