import type { Tensor } from "@coalmine/ports";
import { messageOf } from "@coalmine/runtime/error";
import type { InferenceSession, OnnxValue, Tensor as OrtTensor } from "onnxruntime-node";
import { ModelFailure } from "./model-error.ts";
import { endings, type ModelRing, SLOTS } from "./model-ring.ts";
import type { Tensors } from "./model-messages.ts";

type Ort = typeof import("./onnx-runtime.ts");
type OrtTensors = Record<string, OrtTensor>;

/** Tensors over a slot's memory, made once for each shape of request and used again. */
interface Prepared {
  readonly feeds: OrtTensors;
  /** Absent until the first answer has told the outputs' shapes, and for good where those hang on more than the inputs'. */
  answer: { readonly fetches: OrtTensors; readonly layout: Int32Array } | undefined;
}

/** Shapes prepared for a slot; a component that asks for more of them pays for preparing anew. */
const PREPARED_MAX = 256;

/** The worker's side of the ring: each run reads and writes the slot's own memory. */
export class RingRuns {
  readonly #session: InferenceSession;
  readonly #ring: ModelRing;
  readonly #ort: Ort;
  readonly #prepared: readonly Map<string, Prepared>[] = Array.from({ length: SLOTS }, () => new Map());
  readonly #shapesFollow: boolean;

  constructor(session: InferenceSession, ring: ModelRing, ort: Ort) {
    this.#session = session;
    this.#ring = ring;
    this.#ort = ort;
    const named = new Set(session.inputMetadata.flatMap(dimensions).filter(isName));
    this.#shapesFollow = session.outputMetadata
      .flatMap(dimensions)
      .every((dimension) => !isName(dimension) || named.has(dimension));
  }

  /** Answers the oldest run that waits. Never rejects: a run that fails is an answer. */
  async next(): Promise<void> {
    const ring = this.#ring;
    const run = ring.answered;
    try {
      const prepared = this.#preparedFor(run);
      if (prepared.answer !== undefined) {
        await this.#session.run(prepared.feeds, prepared.answer.fetches);
        ring.layOut(run, prepared.answer.layout);
      } else {
        const outputs = readTensors(await this.#session.run(prepared.feeds));
        const space = ring.answerSpace(run, this.#session.outputNames, outputs);
        if (space === undefined) return ring.answer(run, endings.tooLarge);
        if (this.#shapesFollow) prepared.answer = { fetches: this.#over(space), layout: ring.layout(run) };
      }
      ring.answer(run, endings.ran);
    } catch (thrown) {
      ring.answer(run, endings.failed, messageOf(thrown));
    }
  }

  #preparedFor(run: number): Prepared {
    const known = this.#prepared[run % SLOTS];
    const key = this.#ring.requestKey(run);
    const found = known?.get(key);
    if (found !== undefined) return found;
    const made: Prepared = {
      feeds: this.#over(this.#ring.request(run, this.#session.inputNames)),
      answer: undefined,
    };
    if ((known?.size ?? 0) >= PREPARED_MAX) known?.clear();
    known?.set(key, made);
    return made;
  }

  #over(tensors: Tensors): OrtTensors {
    return Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]): [string, OrtTensor] => [name, this.#ortTensor(tensor)]),
    );
  }

  #ortTensor(tensor: Tensor): OrtTensor {
    return tensor.type === "float32"
      ? new this.#ort.Tensor("float32", tensor.data, tensor.shape)
      : new this.#ort.Tensor("int64", tensor.data, tensor.shape);
  }
}

function dimensions(value: InferenceSession.ValueMetadata): readonly (number | string)[] {
  return value.isTensor ? value.shape : [];
}

function isName(dimension: number | string): dimension is string {
  return typeof dimension === "string";
}

export function readTensors(outputs: Readonly<Record<string, OnnxValue>>): Tensors {
  const read: Record<string, Tensor> = {};
  for (const [name, output] of Object.entries(outputs)) read[name] = readTensor(name, output);
  return read;
}

function readTensor(name: string, output: OnnxValue): Tensor {
  const shape = [...output.dims];
  const { data } = output;
  if (data instanceof Float32Array) return { type: "float32", data, shape };
  if (data instanceof BigInt64Array) return { type: "int64", data, shape };
  throw new ModelFailure(
    "MODEL_RUN_FAILED",
    `output ${name} is ${output.type}; export it as float32 or int64`,
  );
}
