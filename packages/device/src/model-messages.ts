import type { ModelError, Tensor } from "@coalmine/ports";

/** What a component's thread asks of a model worker beside the runs in the ring, and what comes back. `id` pairs them. */
export type ModelRequest =
  | { readonly id: number; readonly kind: "open"; readonly path: string; readonly sha256: string }
  /** A run whose tensors do not fit the ring. */
  | { readonly id: number; readonly kind: "run"; readonly feeds: Tensors };

export type Tensors = Readonly<Record<string, Tensor>>;

export interface OpenedModel {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

export type ModelAnswer = { readonly id: number } & (
  | { readonly kind: "opened"; readonly opened: OpenedModel }
  | { readonly kind: "ran"; readonly outputs: Tensors }
  | { readonly kind: "failed"; readonly code: ModelError["code"]; readonly message: string }
);

/** What marks a worker thread as one that runs a model. */
export const MODEL_WORKER_ROLE = "coalmine.model-worker";
export interface ModelWorkerData {
  readonly role: typeof MODEL_WORKER_ROLE;
  /** The memory of the ring. */
  readonly memory: SharedArrayBuffer;
}
