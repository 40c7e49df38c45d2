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
  readonly code: "NO_MODEL" | "MODEL_HASH_MISMATCH" | "MODEL_UNREADABLE" | "MODEL_RUN_FAILED";
}

export interface Models {
  /**
   * Opens `model.onnx` in `folder` (absolute, a model component's artifact; or relative, in the work folder). Refuses
   * bytes whose SHA-256 is not `sha256`. Several may be open at once.
   */
  open(folder: string, sha256: string): Promise<Model>;
  /** The files of that folder that are not the model: the manifest, test vectors. */
  readText(folder: string, name: string): Promise<string>;
  /** Copies the folder's files into the work folder, durably, as the last good model. */
  copyToWork(folder: string, workFolder: string): Promise<void>;
}
