import type { Tensor } from "@coalmine/ports";
import type { Tensors } from "./model-messages.ts";

/**
 * The memory that a component's thread and its model worker share: a few slots, taken in turn, each with the inputs of
 * one run and then its outputs. Nothing of a run is allocated in it or sent. What does not fit a slot goes by message.
 */

/** Runs that may be under way at once: one runs while the next waits and the one before is read. */
export const SLOTS = 4;
/** A slot's inputs: 64 windows of 750 float32. */
const INPUT_BYTES = 192 * 1024;
const OUTPUT_BYTES = 63 * 1024;
/** Whole numbers that tell the shapes of a slot's tensors: the request's, then the answer's. */
const HEADER_INTS = 64;
const HEADER_BYTES = 2 * HEADER_INTS * 4;
const SLOT_BYTES = HEADER_BYTES + INPUT_BYTES + OUTPUT_BYTES;
const CONTROL_BYTES = 64;
/** About as long as two threads take to wake each other: at 1,000 runs a second nobody looks out. */
const LOOK_OUT_MS = 0.15;

/** Counters: anything asked, runs asked, runs answered; and whether the worker shall end. */
const [WAKE, ASKED, ANSWERED, ENDING] = [0, 1, 2, 3] as const;
const TYPES = ["float32", "int64"] as const;

/** How a run ended: `text` holds why it failed; `tooLarge` means that its outputs do not fit a slot. */
export const endings = { ran: 1, failed: 2, tooLarge: 3 } as const;

export class ModelRing {
  readonly memory: SharedArrayBuffer;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #headers: readonly Int32Array<SharedArrayBuffer>[];
  #isBusy = false;

  constructor(memory = new SharedArrayBuffer(CONTROL_BYTES + SLOTS * SLOT_BYTES)) {
    this.memory = memory;
    this.#control = new Int32Array(memory, 0, CONTROL_BYTES / 4);
    this.#headers = Array.from({ length: SLOTS }, (_, slot) => {
      return new Int32Array(memory, CONTROL_BYTES + slot * SLOT_BYTES, 2 * HEADER_INTS);
    });
  }

  /** Runs answered so far, of all that were ever asked. */
  get answered(): number {
    return Atomics.load(this.#control, ANSWERED);
  }

  get asked(): number {
    return Atomics.load(this.#control, ASKED);
  }

  /** Tells the worker to end before its next run. Ending it from outside, in the midst of one, aborts the process. */
  end(): void {
    Atomics.store(this.#control, ENDING, 1);
    this.wake();
  }

  get isEnding(): boolean {
    return Atomics.load(this.#control, ENDING) === 1;
  }

  /** Wakes the worker, for a run that was put into the ring or a message. */
  wake(): void {
    Atomics.add(this.#control, WAKE, 1);
    Atomics.notify(this.#control, WAKE);
  }

  get woken(): number {
    return Atomics.load(this.#control, WAKE);
  }

  /**
   * The worker sleeps until something was asked since `woken` was read. It has no event loop to keep turning. Where the
   * last request came at once it first looks out for the next: to fall asleep and be woken takes both threads longer.
   */
  sleep(woken: number): void {
    const sinceMs = performance.now();
    while (this.#isBusy && this.woken === woken && performance.now() - sinceMs < LOOK_OUT_MS) Atomics.pause();
    Atomics.wait(this.#control, WAKE, woken);
    this.#isBusy = performance.now() - sinceMs < LOOK_OUT_MS;
  }

  /** Until more than `answered` runs are answered, or `wakeAsker` is called. */
  async moreAnswered(answered: number): Promise<void> {
    const waiting = Atomics.waitAsync(this.#control, ANSWERED, answered);
    if (waiting.async) await waiting.value;
  }

  wakeAsker(): void {
    Atomics.notify(this.#control, ANSWERED);
  }

  /** Puts a run's inputs, in the order of `names`, into the next slot. False where they do not fit: ask by message. */
  ask(names: readonly string[], feeds: Tensors): boolean {
    const header = this.#headers[this.asked % SLOTS];
    if (header === undefined || !this.#write(header, 0, names, feeds, INPUT_BYTES)) return false;
    Atomics.add(this.#control, ASKED, 1);
    this.wake();
    return true;
  }

  /** What tells one shape of request from another. */
  requestKey(run: number): string {
    const header = this.#header(run);
    return header.subarray(0, header[0]).join();
  }

  request(run: number, names: readonly string[]): Tensors {
    return this.#read(run, 0, names);
  }

  /** Memory of this run's slot for an answer's tensors, whose content the worker fills; undefined where they do not fit. */
  answerSpace(run: number, names: readonly string[], outputs: Tensors): Tensors | undefined {
    if (!this.#write(this.#header(run), HEADER_INTS, names, outputs, OUTPUT_BYTES)) return undefined;
    return this.#read(run, HEADER_INTS, names);
  }

  /** The layout of a run's answer, to be told again for another run of the same shapes. */
  layout(run: number): Int32Array {
    return this.#header(run).slice(HEADER_INTS);
  }

  layOut(run: number, layout: Int32Array): void {
    this.#header(run).set(layout, HEADER_INTS);
  }

  /** Tells the answer to a run: its shapes and content are in its slot already, or `text` says why it failed. */
  answer(run: number, ending: number, text = ""): void {
    const header = this.#header(run);
    header[HEADER_INTS - 1] = ending;
    if (ending === endings.failed) {
      const bytes = new TextEncoder().encode(text).subarray(0, OUTPUT_BYTES);
      new Uint8Array(this.memory, outputOffset(header), bytes.length).set(bytes);
      header[HEADER_INTS - 2] = bytes.length;
    }
    Atomics.store(this.#control, ANSWERED, run + 1);
    Atomics.notify(this.#control, ANSWERED);
  }

  ending(run: number): number {
    return this.#header(run)[HEADER_INTS - 1] ?? 0;
  }

  failure(run: number): string {
    const header = this.#header(run);
    // TextDecoder takes no shared memory.
    return new TextDecoder().decode(
      new Uint8Array(this.memory, outputOffset(header), header[HEADER_INTS - 2] ?? 0).slice(),
    );
  }

  /** A copy of a run's outputs: the slot is used again. */
  outputs(run: number, names: readonly string[]): Tensors {
    return this.#read(run, HEADER_INTS, names, true);
  }

  #header(run: number): Int32Array<SharedArrayBuffer> {
    const header = this.#headers[run % SLOTS];
    if (header === undefined) throw new RangeError(`run ${run} is none`);
    return header;
  }

  /** Layout from `start`: ints used, then a tensor's type, rank, dimensions. Tensors lie one after the other. */
  #write(
    header: Int32Array<SharedArrayBuffer>,
    start: number,
    names: readonly string[],
    tensors: Tensors,
    bytesMax: number,
  ): boolean {
    let at = start + 1;
    let offset = 0;
    const base = start === 0 ? inputOffset(header) : outputOffset(header);
    for (const name of names) {
      const tensor = tensors[name];
      if (tensor === undefined || at + 2 + tensor.shape.length > start + HEADER_INTS - 2) return false;
      if (offset + tensor.data.byteLength > bytesMax) return false;
      header[at++] = tensor.type === "float32" ? 0 : 1;
      header[at++] = tensor.shape.length;
      for (const dimension of tensor.shape) header[at++] = dimension;
      if (tensor.type === "float32")
        new Float32Array(this.memory, base + offset, tensor.data.length).set(tensor.data);
      else new BigInt64Array(this.memory, base + offset, tensor.data.length).set(tensor.data);
      offset += roundUp(tensor.data.byteLength);
    }
    header[start] = at - start;
    return true;
  }

  #read(run: number, start: number, names: readonly string[], isCopy = false): Tensors {
    const header = this.#header(run);
    const tensors: Record<string, Tensor> = {};
    let at = start + 1;
    let offset = start === 0 ? inputOffset(header) : outputOffset(header);
    for (const name of names) {
      const type = TYPES[header[at++] ?? 0];
      const shape = Array.from({ length: header[at++] ?? 0 }, () => 0);
      let length = 1;
      for (let axis = 0; axis < shape.length; axis++) length *= shape[axis] = header[at++] ?? 0;
      const data =
        type === "int64"
          ? new BigInt64Array(this.memory, offset, length)
          : new Float32Array(this.memory, offset, length);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the two go together by the line above.
      tensors[name] = { type, data: isCopy ? data.slice() : data, shape } as unknown as Tensor;
      offset += roundUp(data.byteLength);
    }
    return tensors;
  }
}

function inputOffset(header: Int32Array): number {
  return header.byteOffset + HEADER_BYTES;
}

function outputOffset(header: Int32Array): number {
  return header.byteOffset + HEADER_BYTES + INPUT_BYTES;
}

/** To whole int64, so that any tensor may lie next. */
function roundUp(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
