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
const UUID_BYTES = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The headers block; throws `FramingError` where a header does not fit its type or its limit. */
export function encodeHeaders(headers: readonly Header[]): Uint8Array {
  const parts = headers.map(encodeHeader);
  const lengthBytes = parts.reduce((sum, part) => sum + part.length, 0);
  if (lengthBytes > HEADER_BLOCK_BYTES_MAX)
    throw new FramingError(
      `cannot encode the headers: they are ${lengthBytes} bytes, ${HEADER_BLOCK_BYTES_MAX} are allowed; move data into the payload`,
    );
  const block = new Uint8Array(lengthBytes);
  let offset = 0;
  for (const part of parts) {
    block.set(part, offset);
    offset += part.length;
  }
  return block;
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
  const bytes = (lengthBytes: number): Uint8Array => {
    const start = take(lengthBytes);
    // Not `slice`, which shares memory where the block is a Node buffer.
    return new Uint8Array(block.subarray(start, start + lengthBytes));
  };
  const value = (): HeaderValue => {
    const code = view.getUint8(take(1));
    switch (code) {
      case TRUE:
        return { type: "boolean", value: true };
      case FALSE:
        return { type: "boolean", value: false };
      case codes.int8:
        return { type: "int8", value: view.getInt8(take(1)) };
      case codes.int16:
        return { type: "int16", value: view.getInt16(take(2)) };
      case codes.int32:
        return { type: "int32", value: view.getInt32(take(4)) };
      case codes.int64:
        return { type: "int64", value: view.getBigInt64(take(8)) };
      case codes.timestamp:
        return { type: "timestamp", value: view.getBigInt64(take(8)) };
      case codes.uuid:
        return { type: "uuid", value: bytes(UUID_BYTES) };
      case codes.bytes:
        return { type: "bytes", value: bytes(variableLength()) };
      case codes.string:
        return { type: "string", value: text(bytes(variableLength())) };
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
    const name = text(bytes(nameBytes));
    headers.push({ name, ...value() });
  }
  return headers;
}

function encodeHeader(header: Header): Uint8Array {
  const name = encoder.encode(header.name);
  if (name.length < 1 || name.length > HEADER_NAME_BYTES_MAX)
    throw new FramingError(
      `cannot encode header "${header.name}": its name is ${name.length} bytes, 1 to ${HEADER_NAME_BYTES_MAX} are allowed`,
    );
  const value = encodeValue(header);
  const part = new Uint8Array(1 + name.length + value.length);
  part[0] = name.length;
  part.set(name, 1);
  part.set(value, 1 + name.length);
  return part;
}

/** The type's number and the value. */
function encodeValue(header: Header): Uint8Array {
  switch (header.type) {
    case "boolean":
      return Uint8Array.of(header.value ? TRUE : FALSE);
    case "int8":
    case "int16":
    case "int32":
      return encodeInteger(header);
    case "int64":
    case "timestamp": {
      if (BigInt.asIntN(64, header.value) !== header.value) throw outOfRange(header);
      const bytes = new Uint8Array(9);
      bytes[0] = codes[header.type];
      new DataView(bytes.buffer).setBigInt64(1, header.value);
      return bytes;
    }
    case "uuid": {
      if (header.value.length !== UUID_BYTES) throw outOfRange(header);
      return Uint8Array.of(codes.uuid, ...header.value);
    }
    case "bytes":
      return withLength(header, header.value);
    case "string":
      break;
  }
  return withLength(header, encoder.encode(header.value));
}

function encodeInteger(header: Extract<Header, { type: "int8" | "int16" | "int32" }>): Uint8Array {
  const lengthBytes = { int8: 1, int16: 2, int32: 4 }[header.type];
  const limit = 2 ** (8 * lengthBytes - 1);
  if (!Number.isInteger(header.value) || header.value < -limit || header.value >= limit)
    throw outOfRange(header);
  const bytes = new Uint8Array(1 + lengthBytes);
  bytes[0] = codes[header.type];
  const view = new DataView(bytes.buffer);
  if (header.type === "int8") view.setInt8(1, header.value);
  else if (header.type === "int16") view.setInt16(1, header.value);
  else view.setInt32(1, header.value);
  return bytes;
}

function withLength(header: Header, value: Uint8Array): Uint8Array {
  if (value.length > HEADER_VALUE_BYTES_MAX)
    throw new FramingError(
      `cannot encode header "${header.name}": its value is ${value.length} bytes, ${HEADER_VALUE_BYTES_MAX} are allowed`,
    );
  const bytes = new Uint8Array(3 + value.length);
  bytes[0] = header.type === "string" ? codes.string : codes.bytes;
  new DataView(bytes.buffer).setUint16(1, value.length);
  bytes.set(value, 3);
  return bytes;
}

function outOfRange(header: Header): FramingError {
  return new FramingError(
    `cannot encode header "${header.name}": ${String(header.value)} is no ${header.type}`,
  );
}

function text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new FramingError("malformed headers: a name or string is not UTF-8", { cause });
  }
}
