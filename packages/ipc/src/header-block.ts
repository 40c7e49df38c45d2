import { FramingError } from "./framing-error.ts";

/** A typed header of an event-stream message. Timestamps are milliseconds since the Unix epoch. */
export type Header = { readonly name: string } & HeaderValue;
export type HeaderValue =
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "int8" | "int16" | "int32"; readonly value: number }
  | { readonly type: "int64" | "timestamp"; readonly value: bigint }
  | { readonly type: "bytes" | "uuid"; readonly value: Uint8Array }
  | { readonly type: "string"; readonly value: string };

/** Limits of the common runtime that the official clients share. */
export const HEADER_NAME_BYTES_MAX = 127;
export const HEADER_VALUE_BYTES_MAX = 32_767;
export const HEADER_BLOCK_BYTES_MAX = 128 * 1024;

const TRUE = 0;
const FALSE = 1;
const codes = { int8: 2, int16: 3, int32: 4, int64: 5, bytes: 6, string: 7, timestamp: 8, uuid: 9 } as const;
const integerBytes = { int8: 1, int16: 2, int32: 4 } as const;
const UUID_BYTES = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How long the headers block of these is; throws `FramingError` where a header does not fit its type or its limit. */
export function headerBlockBytes(headers: readonly Header[]): number {
  let lengthBytes = 0;
  for (const header of headers) lengthBytes += headerBytes(header);
  if (lengthBytes > HEADER_BLOCK_BYTES_MAX)
    throw new FramingError(
      `cannot encode the headers: they are ${lengthBytes} bytes, ${HEADER_BLOCK_BYTES_MAX} are allowed; move data into the payload`,
    );
  return lengthBytes;
}

/** Writes what `headerBlockBytes` has measured to where `block` begins. */
export function writeHeaders(headers: readonly Header[], block: Uint8Array): void {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  let offset = 0;
  for (const header of headers) {
    const name = utf8(header.name);
    view.setUint8(offset, name.length);
    block.set(name, offset + 1);
    offset = writeValue(header, view, block, offset + 1 + name.length);
  }
}

/** Reads a whole headers block; throws `FramingError` where it is not one. */
export function decodeHeaders(block: Uint8Array): Header[] {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const headers: Header[] = [];
  let offset = 0;
  const take = (lengthBytes: number): number => {
    const start = offset;
    if (start + lengthBytes > block.length)
      throw new FramingError(
        `malformed headers: ${lengthBytes} bytes expected at ${start}, the block ends at ${block.length}`,
      );
    offset += lengthBytes;
    return start;
  };
  const text = (lengthBytes: number): string => {
    const start = take(lengthBytes);
    return textOf(block, start, start + lengthBytes);
  };
  const bytes = (lengthBytes: number): Uint8Array => {
    const start = take(lengthBytes);
    // Not `slice`, which shares memory where the block is a Node buffer.
    return new Uint8Array(block.subarray(start, start + lengthBytes));
  };
  const header = (name: string): Header => {
    const code = view.getUint8(take(1));
    switch (code) {
      case TRUE:
        return { name, type: "boolean", value: true };
      case FALSE:
        return { name, type: "boolean", value: false };
      case codes.int8:
        return { name, type: "int8", value: view.getInt8(take(1)) };
      case codes.int16:
        return { name, type: "int16", value: view.getInt16(take(2)) };
      case codes.int32:
        return { name, type: "int32", value: view.getInt32(take(4)) };
      case codes.int64:
        return { name, type: "int64", value: view.getBigInt64(take(8)) };
      case codes.timestamp:
        return { name, type: "timestamp", value: view.getBigInt64(take(8)) };
      case codes.uuid:
        return { name, type: "uuid", value: bytes(UUID_BYTES) };
      case codes.bytes:
        return { name, type: "bytes", value: bytes(variableLength()) };
      case codes.string:
        return { name, type: "string", value: text(variableLength()) };
      default:
        throw new FramingError(`malformed headers: no header type has the number ${code}`);
    }
  };
  const variableLength = (): number => {
    const lengthBytes = view.getUint16(take(2));
    if (lengthBytes > HEADER_VALUE_BYTES_MAX)
      throw new FramingError(
        `malformed headers: a value of ${lengthBytes} bytes, ${HEADER_VALUE_BYTES_MAX} are allowed`,
      );
    return lengthBytes;
  };
  while (offset < block.length) {
    const nameBytes = view.getUint8(take(1));
    if (nameBytes < 1 || nameBytes > HEADER_NAME_BYTES_MAX)
      throw new FramingError(
        `malformed headers: a name of ${nameBytes} bytes, 1 to ${HEADER_NAME_BYTES_MAX} are allowed`,
      );
    headers.push(header(text(nameBytes)));
  }
  return headers;
}

function headerBytes(header: Header): number {
  const nameBytes = utf8(header.name).length;
  if (nameBytes < 1 || nameBytes > HEADER_NAME_BYTES_MAX)
    throw new FramingError(
      `cannot encode header "${header.name}": its name is ${nameBytes} bytes, 1 to ${HEADER_NAME_BYTES_MAX} are allowed`,
    );
  return 1 + nameBytes + 1 + valueBytes(header);
}

function valueBytes(header: Header): number {
  switch (header.type) {
    case "boolean":
      return 0;
    case "int8":
    case "int16":
    case "int32": {
      const lengthBytes = integerBytes[header.type];
      const limit = 2 ** (8 * lengthBytes - 1);
      if (!Number.isInteger(header.value) || header.value < -limit || header.value >= limit)
        throw outOfRange(header);
      return lengthBytes;
    }
    case "int64":
    case "timestamp":
      if (BigInt.asIntN(64, header.value) !== header.value) throw outOfRange(header);
      return 8;
    case "uuid":
      if (header.value.length !== UUID_BYTES) throw outOfRange(header);
      return UUID_BYTES;
    case "bytes":
      return withLength(header, header.value.length);
    case "string":
      break;
  }
  return withLength(header, utf8(header.value).length);
}

function withLength(header: Header, lengthBytes: number): number {
  if (lengthBytes > HEADER_VALUE_BYTES_MAX)
    throw new FramingError(
      `cannot encode header "${header.name}": its value is ${lengthBytes} bytes, ${HEADER_VALUE_BYTES_MAX} are allowed`,
    );
  return 2 + lengthBytes;
}

/** The type's number and the value; gives where the next header begins. */
function writeValue(header: Header, view: DataView, block: Uint8Array, start: number): number {
  const offset = start + 1;
  switch (header.type) {
    case "boolean":
      view.setUint8(start, header.value ? TRUE : FALSE);
      return offset;
    case "int8":
      view.setInt8(offset, header.value);
      break;
    case "int16":
      view.setInt16(offset, header.value);
      break;
    case "int32":
      view.setInt32(offset, header.value);
      break;
    case "int64":
    case "timestamp":
      view.setBigInt64(offset, header.value);
      break;
    case "uuid":
      block.set(header.value, offset);
      break;
    case "bytes":
    case "string": {
      const value = header.type === "string" ? utf8(header.value) : header.value;
      view.setUint16(offset, value.length);
      block.set(value, offset + 2);
      break;
    }
  }
  view.setUint8(start, codes[header.type]);
  return offset + valueBytes(header);
}

function outOfRange(header: Header): FramingError {
  return new FramingError(
    `cannot encode header "${header.name}": ${String(header.value)} is no ${header.type}`,
  );
}

/** What stands in every message again, names above all, is encoded once; what is long is not kept. */
const encoded = new Map<string, Uint8Array>();
const KEPT_MAX = 256;
const KEPT_LENGTH_MAX = 100;

function utf8(text: string): Uint8Array {
  const known = encoded.get(text);
  if (known !== undefined) return known;
  const bytes = encoder.encode(text);
  if (text.length <= KEPT_LENGTH_MAX) {
    if (encoded.size >= KEPT_MAX) encoded.clear();
    encoded.set(text, bytes);
  }
  return bytes;
}

/** Short texts are nearly always ASCII, for which a decoder takes longer to be called than to decode. */
function textOf(block: Uint8Array, start: number, end: number): string {
  if (end - start <= KEPT_LENGTH_MAX) {
    let ascii = "";
    let at = start;
    for (; at < end && (block[at] ?? 0) < 0x80; at++) ascii += String.fromCharCode(block[at] ?? 0);
    if (at === end) return ascii;
  }
  try {
    return decoder.decode(block.subarray(start, end));
  } catch (cause) {
    throw new FramingError("malformed headers: a name or string is not UTF-8", { cause });
  }
}
