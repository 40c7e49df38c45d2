/** ONNX models. Running is real work outside the component's thread. */

export type TensorData =
  | { readonly type: "float32"; readonly data: Float32Array }
  | { readonly type: "int64"; readonly data: BigInt64Array };
export type Tensor = TensorData & { readonly shape: readonly number[] };

export interface Model {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
  close(): Promise<void>;
}

export interface ModelError extends Error {
  readonly name: "ModelError";
  readonly code:
    | "NO_MODEL"
    | "MODEL_HASH_MISMATCH"
    | "MODEL_UNREADABLE"
    | "MODEL_RUN_FAILED"
    /** What ran the model died, or was closed: nothing is known of the run. Open the model again. */
    | "MODEL_WORKER_LOST"
    /** A run gave no answer in time, and holds a processor until the process ends. Open the model again, and restart soon. */
    | "MODEL_HANGS";
}

export interface OpenOptions {
  /** A run that gives no answer within this long hangs; 60 s where nothing is said. */
  readonly runMsMax?: number;
}

export interface Models {
  /**
   * Opens `model.onnx` in `folder` (absolute, a model component's artifact; or relative, in the work folder). Refuses
   * bytes whose SHA-256 is not `sha256`. Several may be open at once; opening one holds up no run of another.
   */
  open(folder: string, sha256: string, options?: OpenOptions): Promise<Model>;
  /**
   * Opens the model where it can do no harm, and gives its answer to each of `feeds`: a crash, or no answer to all of
   * them within `msMax`, rejects with `MODEL_WORKER_LOST` or `MODEL_HANGS` and touches nothing that is open.
   */
  prove(
    folder: string,
    sha256: string,
    feeds: readonly Readonly<Record<string, Tensor>>[],
    msMax: number,
  ): Promise<readonly Readonly<Record<string, Tensor>>[]>;
  /** The files of that folder that are not the model: the manifest, test vectors. */
  readText(folder: string, name: string): Promise<string>;
  /** Copies the folder's files into the work folder, durably, as the last good model. */
  copyToWork(folder: string, workFolder: string): Promise<void>;
}
