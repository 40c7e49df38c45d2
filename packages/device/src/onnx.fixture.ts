/** The smallest ONNX models that compute something, written by hand: protobuf is a tag, a length and bytes. */

const encoder = new TextEncoder();

/** y = x + x, over a vector of any length. */
export function addModel(): Uint8Array {
  return model("Add", ["n"]);
}

/** y = x · x, over square matrices: work enough to notice. */
export function matrixModel(size: number): Uint8Array {
  return model("MatMul", [size, size]);
}

function model(operator: string, shape: readonly (number | string)[]): Uint8Array {
  const node = [text(1, "x"), text(1, "x"), text(2, "y"), text(4, operator)];
  const graph = [
    bytes(1, node),
    text(2, "g"),
    bytes(11, valueInfo("x", shape)),
    bytes(12, valueInfo("y", shape)),
  ];
  return join([number(1, 9), bytes(7, graph), bytes(8, [text(1, ""), number(2, 13)])]);
}

function valueInfo(name: string, shape: readonly (number | string)[]): Uint8Array[] {
  const dimensions = shape.map((size) =>
    bytes(1, [typeof size === "number" ? number(1, size) : text(2, size)]),
  );
  const FLOAT = 1;
  return [text(1, name), bytes(2, [bytes(1, [number(1, FLOAT), bytes(2, dimensions)])])];
}

function number(field: number, value: number): Uint8Array {
  return join([varint(field << 3), varint(value)]);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, [encoder.encode(value)]);
}

function bytes(field: number, parts: readonly Uint8Array[]): Uint8Array {
  const body = join(parts);
  return join([varint((field << 3) | 2), varint(body.length), body]);
}

function varint(value: number): Uint8Array {
  const groups: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return Uint8Array.from([...groups, rest]);
    groups.push((rest & 127) | 128);
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
