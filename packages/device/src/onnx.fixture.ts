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

/** y = x / (x − x): opens well, and every run fails. */
export function failingModel(): Uint8Array {
  const INT64 = 7;
  const io = [bytes(11, valueInfo("x", ["n"], INT64)), bytes(12, valueInfo("y", ["n"], INT64))];
  return file([node("Sub", ["x", "x"], "z"), node("Div", ["x", "z"], "y")], io);
}

/** A loop without an end: opens well, and no run ever returns. */
export function endlessModel(width: number | string = "n"): Uint8Array {
  const BOOL = 9;
  const INT64 = 7;
  const body = [
    bytes(1, node("Identity", ["more"], "moreAfter")),
    bytes(1, node("Identity", ["v"], "vAfter")),
    text(2, "body"),
    bytes(11, valueInfo("i", [], INT64)),
    bytes(11, valueInfo("more", [], BOOL)),
    bytes(11, valueInfo("v", ["n", width])),
    bytes(12, valueInfo("moreAfter", [], BOOL)),
    bytes(12, valueInfo("vAfter", ["n", width])),
  ];
  const GRAPH = 5;
  const loop = [
    ...node("Loop", ["", "", "x"], "y"),
    bytes(5, [text(1, "body"), bytes(6, body), number(20, GRAPH)]),
  ];
  return file([loop], [bytes(11, valueInfo("x", ["n", width])), bytes(12, valueInfo("y", ["n", width]))]);
}

function model(operator: string, shape: readonly (number | string)[]): Uint8Array {
  return file(
    [node(operator, ["x", "x"], "y")],
    [bytes(11, valueInfo("x", shape)), bytes(12, valueInfo("y", shape))],
  );
}

function file(nodes: readonly (readonly Uint8Array[])[], io: readonly Uint8Array[]): Uint8Array {
  const graph = [...nodes.map((each) => bytes(1, each)), text(2, "g"), ...io];
  return join([number(1, 9), bytes(7, graph), bytes(8, [text(1, ""), number(2, 13)])]);
}

function node(operator: string, inputs: readonly string[], output: string): Uint8Array[] {
  return [...inputs.map((input) => text(1, input)), text(2, output), text(4, operator)];
}

function valueInfo(name: string, shape: readonly (number | string)[], type = 1): Uint8Array[] {
  const dimensions = shape.map((size) =>
    bytes(1, [typeof size === "number" ? number(1, size) : text(2, size)]),
  );
  return [text(1, name), bytes(2, [bytes(1, [number(1, type), bytes(2, dimensions)])])];
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
