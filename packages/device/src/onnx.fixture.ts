/** The smallest ONNX models that compute something, written by hand: protobuf is a tag, a length and bytes. */

const encoder = new TextEncoder();
/** Types of elements, as ONNX numbers them. */
const [FLOAT, INT64, BOOL] = [1, 7, 9];

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
  const io = [bytes(11, valueInfo("x", ["n"], INT64)), bytes(12, valueInfo("y", ["n"], INT64))];
  return file([node("Sub", ["x", "x"], "z"), node("Div", ["x", "z"], "y")], io);
}

/** A loop without an end: opens well, and no run ever returns. */
export function endlessModel(width: number | string = "n"): Uint8Array {
  const shape = ["n", width];
  const io = [bytes(11, valueInfo("x", shape)), bytes(12, valueInfo("y", shape))];
  return file([loop(["", "", "x"], "y", shape)], io);
}

/** What a graph may do beside its own work, on its float32 `input` of two dimensions. */
const burdens = {
  /** Takes as many loop turns, about a microsecond each. */
  slow: (input: string, turns: number) => [
    [...node("Constant", [], "turns"), attribute("value_int", 2, number(3, turns))],
    loop(["turns", "", input], "burden", ["rows", "columns"]),
  ],
  /** Every run fails: a whole number is divided by zero. */
  failing: (input: string) => [
    [...node("Cast", [input], "whole"), attribute("to", 2, number(3, INT64))],
    node("Sub", ["whole", "whole"], "nothing"),
    node("Div", ["whole", "nothing"], "fraction"),
    [...node("Cast", ["fraction"], "burden"), attribute("to", 2, number(3, FLOAT))],
  ],
  /** A run fails where all of its input is below 1. */
  brittle: (input: string) => [
    node("ReduceMax", [input], "largest"),
    [...node("Cast", ["largest"], "divisor"), attribute("to", 2, number(3, INT64))],
    node("Div", ["divisor", "divisor"], "one"),
    [...node("Cast", ["one"], "burden"), attribute("to", 2, number(3, FLOAT))],
  ],
  /** A run never returns where all of its input is below 1. */
  sticky: (input: string) => [
    [...node("ReduceMax", [input], "largest"), attribute("keepdims", 2, number(3, 0))],
    [...node("Cast", ["largest"], "whole"), attribute("to", 2, number(3, INT64))],
    [...node("Cast", ["whole"], "is fine"), attribute("to", 2, number(3, BOOL))],
    node("Not", ["is fine"], "sticks"),
    loop(["", "sticks", input], "burden", ["rows", "columns"]),
  ],
  /** No run ever returns. */
  endless: (input: string) => [loop(["", "", input], "burden", ["rows", "columns"])],
} as const;

/** `base`, an ONNX file, with a burden: appended, for protobuf reads messages that follow each other as one. */
export function burdened(
  base: Uint8Array,
  burden: keyof typeof burdens,
  input: string,
  turns = 0,
): Uint8Array {
  const nodes = burdens[burden](input, turns).map((each) => bytes(1, each));
  const dimensions = burden === "brittle" ? [1, 1] : ["rows", "columns"];
  return join([base, bytes(7, [...nodes, bytes(12, valueInfo("burden", dimensions))])]);
}

/** y = v, over and over: at most `inputs[0]` times, or for ever where that is empty. */
function loop(inputs: readonly string[], output: string, shape: readonly (number | string)[]): Uint8Array[] {
  const body = [
    bytes(1, node("Identity", ["more"], "moreAfter")),
    bytes(1, node("Identity", ["v"], "vAfter")),
    text(2, "body"),
    bytes(11, valueInfo("i", [], INT64)),
    bytes(11, valueInfo("more", [], BOOL)),
    bytes(11, valueInfo("v", shape)),
    bytes(12, valueInfo("moreAfter", [], BOOL)),
    bytes(12, valueInfo("vAfter", shape)),
  ];
  return [...node("Loop", inputs, output), attribute("body", 5, bytes(6, body))];
}

function attribute(name: string, type: number, value: Uint8Array): Uint8Array {
  return bytes(5, [text(1, name), value, number(20, type)]);
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

function valueInfo(name: string, shape: readonly (number | string)[], type = FLOAT): Uint8Array[] {
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
